package action_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/action"
)

type kind string

func (k kind) Kind() string                                         { return string(k) }
func (k kind) Identify(context.Context, action.Env) (string, error) { return string(k), nil }

func TestRegistryLookup(t *testing.T) {
	t.Parallel()
	old, newer, other := paint(), paint(), paint()
	newer.Version, other.Name = 10, "door.paint"
	r, err := action.NewRegistry(
		[]action.Action{action.Define(newer), action.Define(old), action.Define(other)},
		[]action.TargetKind{kind("host"), kind("git")})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"wall.paint": "wall.paint@10", "wall.paint@10": "wall.paint@10", "wall.paint@1": "wall.paint@1",
		"door.paint": "door.paint@1", "wall.paint@2": "", "wall.paint@": "", "wall": "",
	} {
		a, found := r.Action(name)
		spec, foundSpec := r.Spec(name)
		if found != (want != "") || foundSpec != found {
			t.Errorf("%q: found %v and %v, want %q", name, found, foundSpec, want)
			continue
		}
		if found && (a.Spec().ID() != want || spec.ID() != want) {
			t.Errorf("%q: got %s and %s, want %s", name, a.Spec().ID(), spec.ID(), want)
		}
	}
	if got := r.Names(); !slices.Equal(got, []string{"door.paint", "wall.paint"}) {
		t.Errorf("Names() = %v", got)
	}
	if _, found := r.TargetKind("git"); !found || !slices.Equal(r.TargetKinds(), []string{"git", "host"}) {
		t.Errorf("TargetKinds() = %v", r.TargetKinds())
	}
	if _, found := r.TargetKind("moon"); found {
		t.Error("the kind moon must not be found")
	}
}

func TestRegistryRefusesRepetitions(t *testing.T) {
	t.Parallel()
	_, err := action.NewRegistry(
		[]action.Action{action.Define(paint()), action.Define(paint())},
		[]action.TargetKind{kind("host"), kind("host")})
	for _, want := range []string{`action "wall.paint@1" is registered twice`, `target kind "host" is registered twice`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to hold %q", err, want)
		}
	}
}

// TestRegistryRefusesBadDefinitions bends a sound definition in one way each.
func TestRegistryRefusesBadDefinitions(t *testing.T) {
	t.Parallel()
	type definition = action.Definition[paintInput, paintOutput]
	cases := map[string]struct {
		bend func(d *definition)
		want string
	}{
		"Name":            {func(d *definition) { d.Name = "Paint" }, "family.verb"},
		"NameThreeParts":  {func(d *definition) { d.Name = "a.b.c" }, "family.verb"},
		"Version":         {func(d *definition) { d.Version = 0 }, "at least 1"},
		"SummaryNoStop":   {func(d *definition) { d.Summary = "Paint a wall" }, "one sentence"},
		"SummaryNoCap":    {func(d *definition) { d.Summary = "paint a wall." }, "one sentence"},
		"SummaryEmpty":    {func(d *definition) { d.Summary = "" }, "one sentence"},
		"Effect":          {func(d *definition) { d.Effect = "big" }, `effect "big"`},
		"Gate":            {func(d *definition) { d.Gate = "door" }, `gate "door"`},
		"ReadOnlyRuns":    {func(d *definition) { d.Effect = action.ReadOnly }, "read-only action has no Run"},
		"NoRun":           {func(d *definition) { d.Run = nil }, "Run is missing"},
		"NoObserve":       {func(d *definition) { d.Observe = nil }, "Observe is missing"},
		"NoPreview":       {func(d *definition) { d.Preview = nil }, "Preview is missing"},
		"UndoAndNoUndo":   {func(d *definition) { d.UndoField = "" }, "exclude each other"},
		"NeitherUndo":     {func(d *definition) { d.Undo, d.UndoField, d.NoUndo = nil, "", "" }, "one of Undo and NoUndo"},
		"UndoFieldAlone":  {func(d *definition) { d.Undo = nil }, "UndoField needs Undo"},
		"UndoFieldNoWhy":  {func(d *definition) { d.NoUndo = "" }, "NoUndo for other inputs"},
		"UndoFieldTypo":   {func(d *definition) { d.UndoField = "stripp" }, `"stripp" must be an optional field`},
		"ObserveRequired": {func(d *definition) { d.ObserveField = "wall" }, `"wall" must be an optional field`},
		"GateRuns":        {func(d *definition) { d.Gate = action.GatePerson }, "the core carries it out"},
		"GateMutates":     {func(d *definition) { d.Gate = action.GateSoak }, "read-only"},
		"LeaseNoUndo":     {func(d *definition) { d.CanLease, d.Undo, d.UndoField = true, nil, "" }, "a lease needs Undo"},
		"Proof":           {func(d *definition) { d.MaxProof = 4 }, "level of proof"},
		"Durations":       {func(d *definition) { d.Typical = 2 }, "worst duration"},
		"UnknownTarget":   {func(d *definition) { d.Targets = []string{"moon"} }, `target kind "moon"`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			def := paint()
			tc.bend(&def)
			_, err := action.NewRegistry([]action.Action{action.Define(def)}, nil)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want it to hold %q", err, tc.want)
			}
		})
	}
}

func TestRegistryRefusesBadStructs(t *testing.T) {
	t.Parallel()
	type undocumented struct {
		Rooms []struct {
			Size int `json:"size" doc:"no sentence"`
		} `json:"rooms" doc:"Rooms of the house."`
	}
	type untagged struct{ Size int }
	type empty struct{}
	see := func(context.Context, action.Env, undocumented) (action.Observed[empty], error) {
		return action.Saw(empty{}), nil
	}
	_, err := action.NewRegistry([]action.Action{
		action.Define(action.Definition[undocumented, empty]{
			Name: "house.look", Version: 1, Summary: "Look.", Effect: action.ReadOnly, Observe: see,
		}),
		action.Define(action.Definition[untagged, string]{Name: "house.bad", Version: 1, Summary: "Bad.", Effect: action.ReadOnly}),
	}, nil)
	for _, want := range []string{"input.rooms.size must be one sentence", "has no json tag", "closed objects"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to hold %q", err, want)
		}
	}
}

func TestObservable(t *testing.T) {
	t.Parallel()
	always, byField := action.Spec{}, action.Spec{ObserveField: "observe"}
	given := map[string]any{"observe": map[string]any{}}
	if !always.Observable(nil) || byField.Observable(nil) || !byField.Observable(given) {
		t.Error("Observable must depend on the field that the spec names, and on nothing else")
	}
}

// TestWrapped makes sure that both names of an action lead to the same wrapper.
func TestWrapped(t *testing.T) {
	t.Parallel()
	r, err := action.NewRegistry([]action.Action{action.Define(paint())}, []action.TargetKind{kind("host"), kind("git")})
	if err != nil {
		t.Fatal(err)
	}
	type marked struct{ action.Action }
	w := r.Wrapped(func(a action.Action) action.Action { return &marked{a} })
	byName, _ := w.Action("wall.paint")
	byID, _ := w.Action("wall.paint@1")
	if _, ok := byName.(*marked); !ok || byName != byID {
		t.Errorf("got %T and %T", byName, byID)
	}
	if before, _ := r.Action("wall.paint"); before == byName {
		t.Error("the first registry has changed")
	}
}
