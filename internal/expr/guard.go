package expr

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/decls"
	"cel.dev/cel-go/common/functions"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// CEL counts the cost of a call after the call. The functions that can make
// much out of little, or compare everything with everything, are therefore
// asked before: a guard refuses arguments that are too large together.

// guards puts the guards in front of the functions, and takes the place of
// json.encode, whose texts are not always JSON.
func guards() cel.EnvOption {
	checks := map[string]func(args []ref.Val) error{
		"replace": checkReplace,
		"split":   checkSplit,
		"join":    checkJoin,
	}
	for _, name := range []string{
		"distinct", "sets.contains", "sets.intersects", "sets.equivalent", "hasAll", "hasAny", "hasOnly", "hasExactly",
	} {
		checks[name] = checkPairs
	}
	return func(e *cel.Env) (*cel.Env, error) {
		for name, check := range checks {
			fn, found := e.Functions()[name]
			if !found {
				return nil, fmt.Errorf("guard function %q: there is no such function", name)
			}
			guarded, err := guard(fn, check)
			if err != nil {
				return nil, fmt.Errorf("guard function %q: %w", name, err)
			}
			if e, err = cel.FunctionDecls(guarded)(e); err != nil {
				return nil, fmt.Errorf("guard function %q: %w", name, err)
			}
		}
		return cel.Function("json.encode",
			cel.Overload("json_encode_dyn", []*cel.Type{cel.DynType}, cel.StringType, cel.UnaryBinding(encodeJSON)))(e)
	}
}

// guard returns fn with check in front of each implementation.
func guard(fn *decls.FunctionDecl, check func([]ref.Val) error) (*decls.FunctionDecl, error) {
	bindings, err := fn.Bindings()
	if err != nil {
		return nil, fmt.Errorf("find its implementations: %w", err)
	}
	implementations := map[string]*functions.Overload{}
	for _, b := range bindings {
		implementations[b.Operator] = b
	}
	var opts []decls.FunctionOpt
	for _, o := range fn.OverloadDecls() {
		call, err := callable(implementations[o.ID()])
		if err != nil {
			return nil, fmt.Errorf("overload %q: %w", o.ID(), err)
		}
		binding := decls.FunctionBinding(func(args ...ref.Val) ref.Val {
			if err := check(args); err != nil {
				return types.WrapErr(err)
			}
			return call(args...)
		})
		if o.IsMemberFunction() {
			opts = append(opts, decls.MemberOverload(o.ID(), o.ArgTypes(), o.ResultType(), binding))
		} else {
			opts = append(opts, decls.Overload(o.ID(), o.ArgTypes(), o.ResultType(), binding))
		}
	}
	return decls.NewFunction(fn.Name(), opts...) //nolint:wrapcheck // guards adds the name
}

// callable returns the implementation of an overload, whatever its form.
func callable(o *functions.Overload) (functions.FunctionOp, error) {
	switch {
	case o == nil:
		return nil, errors.New("it has no implementation")
	case o.Unary != nil:
		return func(args ...ref.Val) ref.Val { return o.Unary(args[0]) }, nil
	case o.Binary != nil:
		return func(args ...ref.Val) ref.Val { return o.Binary(args[0], args[1]) }, nil
	case o.Function != nil:
		return o.Function, nil
	default:
		return nil, errors.New("it has no implementation")
	}
}

// limitError is work that an expression asks for and that is refused.
type limitError struct{ message string }

func (e *limitError) Error() string { return e.message }

func limitf(format string, args ...any) error { return &limitError{fmt.Sprintf(format, args...)} }

func text(args []ref.Val, i int) string {
	if i >= len(args) {
		return ""
	}
	s, _ := args[i].(types.String)
	return string(s)
}

func length(args []ref.Val, i int) int {
	if i >= len(args) {
		return 0
	}
	sizer, ok := args[i].(traits.Sizer)
	if !ok {
		return 0
	}
	size, _ := sizer.Size().(types.Int)
	return int(size)
}

// checkReplace bounds s.replace(old, new) and s.replace(old, new, n).
func checkReplace(args []ref.Val) error {
	s, replaced, replacement := text(args, 0), text(args, 1), text(args, 2)
	if len(replacement) <= len(replaced) {
		return nil
	}
	return checkText(len(s) + strings.Count(s, replaced)*(len(replacement)-len(replaced)))
}

// checkSplit bounds s.split(separator) and s.split(separator, n).
func checkSplit(args []ref.Val) error {
	parts := strings.Count(text(args, 0), text(args, 1))
	if text(args, 1) != "" {
		parts++
	}
	if parts > MaxResultNodes {
		return limitf("would split the text into more than %d parts", MaxResultNodes)
	}
	return nil
}

// checkJoin bounds l.join() and l.join(separator).
func checkJoin(args []ref.Val) error {
	list, ok := args[0].(traits.Lister)
	if !ok {
		return nil
	}
	total := length(args, 0) * len(text(args, 1))
	for it := list.Iterator(); it.HasNext() == types.True && total <= MaxText; {
		s, _ := it.Next().(types.String)
		total += len(s)
	}
	return checkText(total)
}

func checkText(size int) error {
	if size > MaxText {
		return limitf("would make a text of more than %d bytes", MaxText)
	}
	return nil
}

// checkPairs bounds the functions that compare each member with each.
func checkPairs(args []ref.Val) error {
	first, second := length(args, 0), length(args, len(args)-1)
	if first > 0 && second > maxPairs/first {
		return limitf("would compare more than %d pairs of members", maxPairs)
	}
	return nil
}

// encodeJSON writes a value as JSON with sorted keys.
func encodeJSON(value ref.Val) ref.Val {
	plain, err := newBudget().value(value)
	if err != nil {
		return types.WrapErr(err)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(plain); err != nil {
		return types.WrapErr(fmt.Errorf("write JSON: %w", err))
	}
	return types.String(strings.TrimSuffix(b.String(), "\n"))
}
