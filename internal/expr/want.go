package expr

import (
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/schema"
)

// fit says how a static type compares with the one that is wanted.
type fit int

const (
	// fits: every value of the type is a value of the wanted one.
	fits fit = iota
	// mayFit: the values have to be looked at.
	mayFit
	// misfits: no value of the type is a value of the wanted one.
	misfits
)

// compare compares the static type got with want.
func compare(got, want schema.Type) fit {
	switch {
	case want.IsAny():
		return fits
	case got.IsAny():
		return mayFit
	}
	switch want.Kind {
	case schema.String:
		return compareString(got, want)
	case schema.Duration:
		return among(got, map[schema.Kind]fit{schema.Duration: fits, schema.String: mayFit})
	case schema.Number:
		return among(got, map[schema.Kind]fit{schema.Number: fits, schema.Int: fits})
	case schema.List:
		if got.Kind != schema.List {
			return misfits
		}
		return compare(got.ElemType(), want.ElemType())
	case schema.Map:
		return compareMap(got, want)
	case schema.Object:
		return compareObject(got, want)
	case schema.Secret:
		return among(got, map[schema.Kind]fit{schema.Secret: fits, schema.Map: mayFit, schema.Object: mayFit})
	default:
		return among(got, map[schema.Kind]fit{want.Kind: fits})
	}
}

func among(got schema.Type, kinds map[schema.Kind]fit) fit {
	if f, listed := kinds[got.Kind]; listed {
		return f
	}
	return misfits
}

func compareString(got, want schema.Type) fit {
	if got.Kind != schema.String && got.Kind != schema.Duration {
		return misfits
	}
	if len(want.Enum) == 0 {
		return fits
	}
	if len(got.Enum) == 0 {
		return mayFit
	}
	permitted := func(s string) bool { return slices.Contains(want.Enum, s) }
	switch {
	case !slices.ContainsFunc(got.Enum, permitted):
		return misfits
	case slices.ContainsFunc(got.Enum, func(s string) bool { return !permitted(s) }):
		return mayFit
	default:
		return fits
	}
}

func compareMap(got, want schema.Type) fit {
	switch {
	case got.Kind == schema.Map:
		return compare(got.ElemType(), want.ElemType())
	case got.Kind != schema.Object:
		return misfits
	case got.Open():
		return compare(schema.Of(schema.Any), want.ElemType())
	}
	worst := fits
	for _, f := range got.Fields {
		worst = max(worst, compare(f.Type, want.ElemType()))
	}
	return worst
}

func compareObject(got, want schema.Type) fit {
	switch {
	case got.Kind == schema.Map && want.Open(), got.Kind == schema.Object && want.Open():
		return fits
	case got.Kind == schema.Map, got.Kind == schema.Object && got.Open():
		return mayFit
	case got.Kind != schema.Object:
		return misfits
	}
	worst := fits
	for name, f := range got.Fields {
		wanted, known := want.Fields[name]
		switch {
		case !known && f.Required:
			return misfits
		case !known:
			worst = max(worst, mayFit)
		default:
			worst = max(worst, compare(f.Type, wanted.Type))
		}
	}
	for name, wanted := range want.Fields {
		if f, given := got.Fields[name]; wanted.Required && !given {
			return misfits
		} else if wanted.Required && !f.Required {
			worst = max(worst, mayFit)
		}
	}
	return worst
}

// typeWords names a type in messages, with its article.
func typeWords(t schema.Type) string {
	switch {
	case t.IsAny():
		return "any value"
	case t.Kind == schema.String && len(t.Enum) > 0:
		return t.String()
	case t.Kind == schema.Int || t.Kind == schema.Object:
		return "an " + string(t.Kind)
	case t.Kind == schema.List && !t.ElemType().IsAny():
		return "a list of " + plural(t.ElemType())
	case t.Kind == schema.Map && !t.ElemType().IsAny():
		return "a map of " + plural(t.ElemType())
	default:
		return "a " + string(t.Kind)
	}
}

func plural(t schema.Type) string {
	if t.Kind == schema.String && len(t.Enum) > 0 {
		return "strings"
	}
	_, word, _ := strings.Cut(typeWords(t), " ")
	kind, members, nested := strings.Cut(word, " of ")
	if nested {
		return kind + "s of " + members
	}
	return word + "s"
}
