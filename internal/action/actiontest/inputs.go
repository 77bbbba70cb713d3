package actiontest

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/schema"
)

// inputs tests that every field is refused when its type is wrong, that
// unknown and missing fields are, and that the message names the field.
func (s Suite) inputs(t *testing.T, example map[string]any) {
	t.Helper()
	w, in := s.start(t, example)
	input := s.Action.Spec().Input
	for _, name := range input.FieldNames() {
		if wrong, exists := misfit(input.Fields[name].Type); exists {
			s.refused(t, w, with(in, name, wrong), name)
		}
		if input.Fields[name].Required {
			s.refused(t, w, without(in, name), name)
		}
	}
	s.refused(t, w, with(in, "noSuchField", true), "noSuchField")
}

// refused calls all functions with in, which must fail because of field.
func (s Suite) refused(t *testing.T, w World, in map[string]any, field string) {
	t.Helper()
	_, preview := s.Action.Preview(t.Context(), w.Env, in)
	_, observe := s.Action.Observe(t.Context(), w.Env, in)
	errs := map[string]error{"Preview": preview, "Observe": observe}
	if checker, ok := s.Action.(action.Checker); ok {
		errs["Check"] = checker.Check(in)
	}
	for function, err := range errs {
		failure, ok := errors.AsType[*action.Error](err)
		if !ok || failure.Reason != action.ReasonInvalidInput || failure.Effect != action.ExtentNone {
			t.Errorf("%s with a bad %q: got %v, want InvalidInput without effect", function, field, err)
			continue
		}
		oneLine(t, failure)
		if !strings.Contains(failure.Error(), field) {
			t.Errorf("%s with a bad %q: the message does not name the field: %s", function, field, failure)
		}
	}
}

// misfit returns a value that does not fit t; false when all values do.
func misfit(t schema.Type) (any, bool) {
	switch {
	case t.IsAny():
		return nil, false
	case t.Kind == schema.String && len(t.Enum) > 0:
		return "no such member", true
	case t.Kind == schema.Duration:
		return "soon", true
	case t.Kind == schema.List:
		return map[string]any{"0": true}, true
	default:
		return []any{"misfit"}, true
	}
}

func oneLine(t *testing.T, err error) {
	t.Helper()
	if text := err.Error(); text == "" || strings.ContainsAny(text, "\r\n") {
		t.Errorf("an error is one line, got %q", text)
	}
}

func with(in map[string]any, name string, value any) map[string]any {
	out := maps.Clone(in)
	out[name] = value
	return out
}

func without(in map[string]any, name string) map[string]any {
	out := maps.Clone(in)
	delete(out, name)
	return out
}

// sensitive tests that values of sensitive fields and of secrets never come
// back, and that Preview and Check ask for no secret.
func (s Suite) sensitive(t *testing.T, example map[string]any) {
	t.Helper()
	w, in := s.start(t, example)
	secrets := append(secretsOf(s.Action.Spec().Input, in), valuesOf(s.Action.Spec().Input, any(in))...)
	if len(secrets) == 0 {
		return
	}
	asked, blind := false, w.Env
	blind.Secrets = noSecrets{&asked}
	preview, err := s.Action.Preview(t.Context(), blind, in)
	if asked {
		t.Error("Preview asks for a secret: it shows what is known without any")
	}
	leaks(t, secrets, "Preview", preview, err)
	told := &telling{}
	w.Env.Log, w.Env.Progress = told, told.progress
	obs, err := s.Action.Observe(t.Context(), w.Env, in)
	leaks(t, secrets, "Observe", obs, err)
	if obs.Status == action.NotStarted {
		out, err := s.Action.Run(t.Context(), w.Env, in, obs.Before)
		leaks(t, secrets, "Run", out, err)
		if possible, _ := s.Action.Spec().Undoable(in); possible {
			leaks(t, secrets, "Undo", nil, s.Action.Undo(t.Context(), w.Env, in, obs.Before))
		}
	}
	leaks(t, secrets, "The log or the progress", told.text(), nil)
	// The same input with a mistake: messages about it must not quote it.
	_, err = s.Action.Observe(t.Context(), w.Env, with(in, "noSuchField", true))
	leaks(t, secrets, "Observe with a mistake", nil, err)
}

// leaks looks for secrets in everything that a function gave back.
func leaks(t *testing.T, secrets []string, function string, result any, err error) {
	t.Helper()
	text := describe(result)
	if err != nil {
		text += err.Error()
	}
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			t.Errorf("%s gives a sensitive value back: %s", function, text)
		}
	}
}

// secretsOf returns the texts in the sensitive fields of an input.
func secretsOf(input schema.Type, in map[string]any) []string {
	var secrets []string
	for _, name := range slices.Sorted(maps.Keys(in)) {
		if input.Fields[name].Sensitive {
			secrets = append(secrets, texts(in[name])...)
		}
	}
	return secrets
}

func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, item := range v {
			all = append(all, texts(item)...)
		}
		return all
	case map[string]any:
		var all []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			all = append(all, texts(v[key])...)
		}
		return all
	default:
		return nil
	}
}
