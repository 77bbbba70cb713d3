package expr

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/checker"
	"cel.dev/cel-go/common/containers"
	"cel.dev/cel-go/common/decls"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"
)

// library is the language without variables: its functions and limits.
type library struct {
	base      *cel.Env
	functions []*decls.FunctionDecl
	// names are the functions and macros that an author can write.
	names []string
	basic types.Provider
}

// shared holds the one library of the process. It never changes.
//
//nolint:gochecknoglobals // building it takes a millisecond, and every Env needs it.
var shared = sync.OnceValues(newLibrary)

func newLibrary() (*library, error) {
	base, err := cel.NewCustomEnv(
		cel.CustomTypeAdapter(adapter{}),
		cel.StdLib(cel.StdLibSubset(withoutTimeZones())),
		ext.Strings(), ext.Math(), ext.Sets(),
		ext.Lists(ext.ListsMaxRangeSize(maxRange)),
		ext.Encoders(ext.EncodersVersion(1)),
		cel.CrossTypeNumericComparisons(true),
		cel.EnableIdentifierEscapeSyntax(),
		cel.ParserRecursionLimit(MaxDepth),
		cel.ParserExpressionSizeLimit(MaxSource),
		cel.RegexProgramSizeLimit(maxPattern),
		guards(),
	)
	if err != nil {
		return nil, fmt.Errorf("prepare the functions of expressions: %w", err)
	}
	l := &library{base: base, basic: base.CELTypeProvider()}
	for name, fn := range base.Functions() {
		if fn.IsDeclarationDisabled() {
			continue
		}
		l.functions = append(l.functions, fn)
		if isWritable(name) {
			l.names = append(l.names, name)
		}
	}
	for _, m := range base.Macros() {
		switch name := m.Function(); {
		case name == "greatest" || name == "least":
			l.names = append(l.names, "math."+name) // macros do not know their library
		case isWritable(name):
			l.names = append(l.names, name)
		}
	}
	slices.Sort(l.names)
	l.names = slices.Compact(l.names)
	return l, nil
}

// isWritable tells operators, and what macros use inside, from functions that
// an author can call.
func isWritable(name string) bool {
	return isNameByte(name[0]) && name[0] != '_' && !strings.Contains(name, "@")
}

// withoutTimeZones leaves out what looks up a time zone by its name, because
// that reads a file of the machine.
func withoutTimeZones() *env.LibrarySubset {
	zoned := map[string]string{
		overloads.TimeGetFullYear:     overloads.TimestampToYearWithTz,
		overloads.TimeGetMonth:        overloads.TimestampToMonthWithTz,
		overloads.TimeGetDayOfYear:    overloads.TimestampToDayOfYearWithTz,
		overloads.TimeGetDayOfMonth:   overloads.TimestampToDayOfMonthZeroBasedWithTz,
		overloads.TimeGetDate:         overloads.TimestampToDayOfMonthOneBasedWithTz,
		overloads.TimeGetDayOfWeek:    overloads.TimestampToDayOfWeekWithTz,
		overloads.TimeGetHours:        overloads.TimestampToHoursWithTz,
		overloads.TimeGetMinutes:      overloads.TimestampToMinutesWithTz,
		overloads.TimeGetSeconds:      overloads.TimestampToSecondsWithTz,
		overloads.TimeGetMilliseconds: overloads.TimestampToMillisecondsWithTz,
	}
	subset := env.NewLibrarySubset()
	for name, overload := range zoned {
		subset.AddExcludedFunctions(env.NewFunction(name, &env.Overload{ID: overload}))
	}
	return subset
}

// language is the library together with the types of the objects of an Env and
// those derived from it.
type language struct {
	*library
	*registry

	env     *cel.Env
	checker *checker.Env // knows the functions, no variables
}

func newLanguage(r *registry) (*language, error) {
	lib, err := shared()
	if err != nil {
		return nil, err
	}
	p := &provider{registry: r, basic: lib.basic}
	extended, err := lib.base.Extend(cel.CustomTypeProvider(p))
	if err != nil {
		return nil, fmt.Errorf("prepare the types of expressions: %w", err)
	}
	check, err := checker.NewEnv(containers.DefaultContainer, p, checker.CrossTypeNumericComparisons(true))
	if err != nil {
		return nil, fmt.Errorf("prepare the check of expressions: %w", err)
	}
	if err := check.AddFunctions(lib.functions...); err != nil {
		return nil, fmt.Errorf("prepare the check of expressions: %w", err)
	}
	return &language{library: lib, registry: r, env: extended, checker: check}, nil
}
