package versions

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// datesScheme reads and orders versions that are moments: 2022-10-24,
// RELEASE.2022-10-24T18-35-07Z, 2024.10. Numbers that are left out count as
// nothing, so 2024.10 is older than 2024.10.1.
type datesScheme struct {
	prefix string
	// months makes year and month the release line instead of the year.
	months bool
}

var _ Scheme = datesScheme{}

// Name implements Scheme.
func (s datesScheme) Name() string { return SchemeDates }

// Ordered implements Scheme.
func (s datesScheme) Ordered() bool { return true }

// Parse implements Scheme. Without a declared prefix, letters and dots before
// the year are ignored.
func (s datesScheme) Parse(text string) (Version, error) {
	if err := checkText(text); err != nil {
		return Version{}, err
	}
	bare := strings.TrimPrefix(text, s.prefix)
	if s.prefix == "" {
		bare = strings.TrimLeftFunc(bare, func(r rune) bool { return r == '.' || r == '-' || unicode.IsLetter(r) })
	}
	numbers, ok := dateNumbers(strings.TrimSuffix(bare, "Z"))
	if !ok {
		return Version{}, fmt.Errorf("%q is not a date such as %s2022-10-24 or %s2022-10-24T18-35-07Z",
			text, s.prefix, s.prefix)
	}
	return Version{text: text, numbers: numbers}, nil
}

// dateNumbers splits year, month, day, hour, minute and second.
func dateNumbers(bare string) ([]uint64, bool) {
	fields := strings.FieldsFunc(strings.Replace(bare, "T", "-", 1), isDateSeparator)
	least := []uint64{1000, 1, 1, 0, 0, 0}
	most := []uint64{9999, 12, 31, 23, 59, 60}
	// Each field must be followed by exactly one separator: nothing is empty.
	if len(fields) == 0 || len(fields) > len(most) || len(strings.Join(fields, "-")) != len(bare) {
		return nil, false
	}
	numbers := make([]uint64, len(fields))
	for i, field := range fields {
		n, err := strconv.ParseUint(field, 10, 32)
		if err != nil || n < least[i] || n > most[i] {
			return nil, false
		}
		numbers[i] = n
	}
	return numbers, true
}

func isDateSeparator(r rune) bool { return r == '-' || r == '.' || r == ':' || r == '_' }

// Compare implements Scheme.
func (s datesScheme) Compare(a, b Version) int {
	for i := range max(len(a.numbers), len(b.numbers)) {
		if c := cmp.Compare(numberAt(a, i), numberAt(b, i)); c != 0 {
			return c
		}
	}
	return 0
}

// CompareBound implements Scheme.
func (s datesScheme) CompareBound(v, bound Version) int {
	for i, n := range bound.numbers {
		if c := cmp.Compare(numberAt(v, i), n); c != 0 {
			return c
		}
	}
	return 0
}

func numberAt(v Version, i int) uint64 {
	if i >= len(v.numbers) {
		return 0
	}
	return v.numbers[i]
}

// Line implements Scheme.
func (s datesScheme) Line(v Version) Line {
	if s.months {
		return Line{Major: numberAt(v, 0), Minor: numberAt(v, 1), Pair: true}
	}
	return Line{Major: numberAt(v, 0)}
}

// Next implements Scheme. Nobody releases every month, so any later line may
// follow; the graph knows whether one lies between.
func (s datesScheme) Next(a, b Line) bool {
	return cmp.Or(cmp.Compare(a.Major, b.Major), cmp.Compare(a.Minor, b.Minor)) < 0
}
