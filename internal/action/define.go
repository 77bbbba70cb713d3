package action

import (
	"context"
	"time"

	"github.com/refitproject/refit/internal/schema"
)

// Definition is an action with typed input and output, from which Define makes
// an Action. In and Out are structs whose tags package schema reads; every
// field has a doc tag.
type Definition[In, Out any] struct {
	// The fields up to Worst are those of Spec with the same names.
	Name           string
	Version        int
	Summary        string
	Effect         Effect
	Gate           Gate
	CanLease       bool
	Resumable      bool
	Selects        bool
	MaxProof       int
	RestoreWith    string
	Targets        []string
	Programs       []string
	UndoField      string
	ObserveField   string
	Typical, Worst time.Duration

	// NoUndo says why there is no inverse, for mutating actions without Undo,
	// or why there is none when the field UndoField is not given.
	NoUndo string

	// Check tells in an error what is wrong with an input whose types are
	// right; nil when nothing can be. It is pure.
	Check func(in In) error
	// Preview says what Run would do. Read-only actions may leave it out; the
	// Summary is shown instead.
	Preview func(ctx context.Context, env Env, in In) (Preview, error)
	// Observe reads the world. Gates have none.
	Observe func(ctx context.Context, env Env, in In) (Observed[Out], error)
	// Run carries out the effect. Read-only actions and gates have none.
	Run func(ctx context.Context, env Env, in In, before map[string]any) (Out, error)
	// Undo is the inverse of Run, nil when there is none.
	Undo func(ctx context.Context, env Env, in In, before map[string]any) error
	// Access says what all of these together ask a Kubernetes API server for; nil
	// for actions that ask none.
	Access func(ctx context.Context, env Env, in In) ([]Access, error)
}

// Observed is an Observation with a typed output.
type Observed[Out any] struct {
	Status   Status
	Output   *Out // nil unless Done
	Before   map[string]any
	Members  []Member
	Reason   string
	Progress *Progress
}

// Saw returns what a read-only action observed.
func Saw[Out any](out Out) Observed[Out] {
	return Observed[Out]{Status: Done, Output: &out}
}

// Define makes an Action from a Definition. It never fails: a mistake in the
// definition is reported by NewRegistry. The definition must not be changed
// afterwards.
func Define[In, Out any](def Definition[In, Out]) Action {
	return &defined[In, Out]{def: def, spec: Spec{
		Name: def.Name, Version: def.Version, Summary: def.Summary,
		Effect: def.Effect, Gate: def.Gate,
		Input: schema.FromStruct[In](), Output: schema.FromStruct[Out](),
		CanUndo:   def.Undo != nil || (def.Gate == GatePerson && def.UndoField != ""),
		WhyNoUndo: def.NoUndo, UndoField: def.UndoField, ObserveField: def.ObserveField,
		CanLease: def.CanLease, Resumable: def.Resumable, Selects: def.Selects,
		MaxProof: def.MaxProof, RestoreWith: def.RestoreWith,
		Targets: def.Targets, Programs: def.Programs,
		Typical: def.Typical, Worst: def.Worst,
	}}
}

// defined adapts a Definition to Action: it decodes inputs and encodes outputs.
type defined[In, Out any] struct {
	def  Definition[In, Out]
	spec Spec
}

// Spec implements Action.
func (d *defined[In, Out]) Spec() Spec { return d.spec }

// Check implements Checker.
func (d *defined[In, Out]) Check(in map[string]any) error {
	_, err := d.decode(in)
	return err
}

// Preview implements Action.
func (d *defined[In, Out]) Preview(ctx context.Context, env Env, in map[string]any) (Preview, error) {
	typed, err := d.decode(in)
	if err != nil {
		return Preview{}, err
	}
	if d.def.Preview == nil {
		return Preview{Summary: d.spec.Summary}, nil
	}
	return d.def.Preview(ctx, env, typed)
}

// Observe implements Action. Gates answer NotStarted: only the core knows who
// has answered them.
func (d *defined[In, Out]) Observe(ctx context.Context, env Env, in map[string]any) (Observation, error) {
	typed, err := d.decode(in)
	if err != nil {
		return Observation{}, err
	}
	if d.def.Observe == nil {
		return Observation{Status: NotStarted, Reason: "gates are answered through Refit, not in the world"}, nil
	}
	seen, err := d.def.Observe(ctx, env, typed)
	if err != nil {
		return Observation{}, err
	}
	obs := Observation{
		Status: seen.Status, Before: seen.Before, Members: seen.Members, Reason: seen.Reason, Progress: seen.Progress,
	}
	if seen.Status != Done || seen.Output == nil {
		return obs, nil
	}
	obs.Output, err = encode(*seen.Output)
	return obs, err
}

// Run implements Action.
func (d *defined[In, Out]) Run(ctx context.Context, env Env, in, before map[string]any) (map[string]any, error) {
	if d.def.Run == nil {
		return nil, ErrNoRun
	}
	typed, err := d.decode(in)
	if err != nil {
		return nil, err
	}
	out, err := d.def.Run(ctx, env, typed, before)
	if err != nil {
		return nil, err
	}
	return encode(out)
}

// Undo implements Action.
func (d *defined[In, Out]) Undo(ctx context.Context, env Env, in, before map[string]any) error {
	if possible, _ := d.spec.Undoable(in); !possible || d.def.Undo == nil {
		return ErrNoUndo
	}
	typed, err := d.decode(in)
	if err != nil {
		return err
	}
	return d.def.Undo(ctx, env, typed, before)
}

// Access implements Accessor.
func (d *defined[In, Out]) Access(ctx context.Context, env Env, in map[string]any) ([]Access, bool, error) {
	if d.def.Access == nil {
		return nil, false, nil
	}
	typed, err := d.decode(in)
	if err != nil {
		return nil, true, err
	}
	list, err := d.def.Access(ctx, env, typed)
	return list, true, err
}

// decode checks in against the Spec and returns it as In.
func (d *defined[In, Out]) decode(in map[string]any) (In, error) {
	var typed In
	err := checkInput(d.spec.Input, in)
	if err == nil {
		err = decodeInto(in, &typed)
	}
	if err == nil && d.def.Check != nil {
		err = d.def.Check(typed)
	}
	if err != nil {
		return typed, invalidInput(d.spec.Name, err)
	}
	return typed, nil
}
