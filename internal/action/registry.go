package action

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/refitproject/refit/internal/schema"
)

// Registry holds the actions and the kinds of target that a program knows. It
// does not change after NewRegistry and is safe for concurrent use.
type Registry struct {
	byName map[string]Action // by name (newest version) and by ID
	names  []string
	kinds  map[string]TargetKind
}

var _ Catalog = (*Registry)(nil)

// NewRegistry returns a registry of actions and kinds. It reports all mistakes
// in definitions, repeated names with the same version, repeated kinds, and
// actions for kinds of target that are not there.
func NewRegistry(actions []Action, kinds []TargetKind) (*Registry, error) {
	r := &Registry{byName: map[string]Action{}, kinds: map[string]TargetKind{}}
	var errs []error
	for _, k := range kinds {
		if _, exists := r.kinds[k.Kind()]; exists {
			errs = append(errs, fmt.Errorf("target kind %q is registered twice", k.Kind()))
		}
		r.kinds[k.Kind()] = k
	}
	for _, a := range actions {
		errs = append(errs, r.add(a))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	slices.Sort(r.names)
	return r, nil
}

// Wrapped returns a registry in which every action is what wrap makes of it. A
// wrapper keeps the Spec.
func (r *Registry) Wrapped(wrap func(Action) Action) *Registry {
	w := &Registry{byName: make(map[string]Action, len(r.byName)), names: r.names, kinds: r.kinds}
	done := map[string]Action{}
	for name, a := range r.byName {
		id := a.Spec().ID()
		if done[id] == nil {
			done[id] = wrap(a)
		}
		w.byName[name] = done[id]
	}
	return w
}

func (r *Registry) add(a Action) error {
	if err := validate(a); err != nil {
		return err
	}
	s := a.Spec()
	if _, exists := r.byName[s.ID()]; exists {
		return fmt.Errorf("action %q is registered twice", s.ID())
	}
	for _, kind := range s.Targets {
		if _, exists := r.kinds[kind]; !exists {
			return fmt.Errorf("action %q acts on the target kind %q, which is not registered", s.ID(), kind)
		}
	}
	r.byName[s.ID()] = a
	newest, exists := r.byName[s.Name]
	if !exists {
		r.names = append(r.names, s.Name)
	}
	if !exists || newest.Spec().Version < s.Version {
		r.byName[s.Name] = a
	}
	return nil
}

// Action returns the action that is called name: "helm.upgrade" for its newest
// version or "helm.upgrade@1" for that one.
func (r *Registry) Action(name string) (Action, bool) {
	a, ok := r.byName[name]
	return a, ok
}

// Spec implements Catalog.
func (r *Registry) Spec(name string) (Spec, bool) {
	a, ok := r.byName[name]
	if !ok {
		return Spec{}, false
	}
	return a.Spec(), true
}

// Names implements Catalog.
func (r *Registry) Names() []string { return slices.Clone(r.names) }

// TargetKind returns the kind of target that is called kind.
func (r *Registry) TargetKind(kind string) (TargetKind, bool) {
	k, ok := r.kinds[kind]
	return k, ok
}

// TargetKinds returns the names of the kinds of target, sorted.
func (r *Registry) TargetKinds() []string { return slices.Sorted(maps.Keys(r.kinds)) }

// TargetConfig returns what the entry of a target of a kind holds in the platform
// file; false for kinds that do not say.
func (r *Registry) TargetConfig(kind string) (schema.Type, bool) {
	k, ok := r.kinds[kind].(Configured)
	if !ok {
		return schema.Type{}, false
	}
	return k.Config(), true
}
