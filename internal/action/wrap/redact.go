package wrap

import (
	"context"
	"errors"
	"io"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/secret"
)

// minSensitive is the length from which on the value of a sensitive field is
// looked for in texts; shorter ones stand in too many by chance.
const minSensitive = 4

// Redact removes the secrets that a call resolves, and the sensitive values of
// its input, from everything that it gives back or tells: output, before,
// reason, preview, errors, progress and log. Families that cut what the world
// says, or read it, remove secrets before that too, by the same means: behind a
// cut, half a secret would not be known again.
func Redact(a action.Action) action.Action { return redacted{passing{a}} }

type redacted struct{ passing }

// Preview implements action.Action.
func (r redacted) Preview(ctx context.Context, env action.Env, in map[string]any) (action.Preview, error) {
	env, known := r.watch(env, in)
	p, err := r.Action.Preview(ctx, env, in)
	clean := known.Redactor()
	return action.Preview{Summary: clean.Text(p.Summary), Diff: clean.Text(p.Diff)}, cleanError(err, clean)
}

// Observe implements action.Action.
func (r redacted) Observe(ctx context.Context, env action.Env, in map[string]any) (action.Observation, error) {
	env, known := r.watch(env, in)
	obs, err := r.Action.Observe(ctx, env, in)
	clean := known.Redactor()
	obs.Output, obs.Before = cleanOutput(r.Spec().Output, obs.Output, clean), cleanMap(obs.Before, clean)
	obs.Reason = clean.Text(obs.Reason)
	if obs.Progress != nil {
		p := cleanProgress(*obs.Progress, clean)
		obs.Progress = &p
	}
	return obs, cleanError(err, clean)
}

// Run implements action.Action.
func (r redacted) Run(ctx context.Context, env action.Env, in, before map[string]any) (map[string]any, error) {
	env, known := r.watch(env, in)
	out, err := r.Action.Run(ctx, env, in, before)
	clean := known.Redactor()
	return cleanOutput(r.Spec().Output, out, clean), cleanError(err, clean)
}

// Undo implements action.Action.
func (r redacted) Undo(ctx context.Context, env action.Env, in, before map[string]any) error {
	env, known := r.watch(env, in)
	err := r.Action.Undo(ctx, env, in, before)
	return cleanError(err, known.Redactor())
}

// watch returns env with what notes secrets as they are resolved, and with a
// log and progress that show none of them.
func (r redacted) watch(env action.Env, in map[string]any) (action.Env, *secret.Recorder) {
	env, known := secret.Recording(env)
	known.Add(sensitive(r.Spec().Input, in)...)
	if report := env.Progress; report != nil {
		env.Progress = func(p action.Progress) { report(cleanProgress(p, known.Redactor())) }
	}
	if env.Log != nil {
		env.Log = cleanWriter{env.Log, known}
	}
	return env, known
}

// sensitive returns the texts in the sensitive fields of a value.
func sensitive(t schema.Type, v any) []string {
	switch v := v.(type) {
	case []any:
		var all []string
		for _, item := range v {
			all = append(all, sensitive(t.ElemType(), item)...)
		}
		return all
	case map[string]any:
		var all []string
		for key, item := range v {
			switch f, ok := t.Fields[key]; {
			case ok && f.Hidden():
				all = append(all, texts(item)...)
			case ok:
				all = append(all, sensitive(f.Type, item)...)
			case t.Elem != nil:
				all = append(all, sensitive(*t.Elem, item)...)
			}
		}
		return all
	default:
		return nil
	}
}

// texts returns all texts in a value that are long enough to be looked for.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		if len(v) >= minSensitive {
			return []string{v}
		}
	case []any:
		var all []string
		for _, item := range v {
			all = append(all, texts(item)...)
		}
		return all
	case map[string]any:
		var all []string
		for _, item := range v {
			all = append(all, texts(item)...)
		}
		return all
	}
	return nil
}

func cleanMap(m map[string]any, clean *secret.Redactor) map[string]any {
	if m == nil {
		return nil
	}
	out, _ := clean.Value(m).(map[string]any)
	return out
}

// cleanOutput removes secrets from an output. A reference to a secret is made of
// names that stand in the procedure, and leads nowhere once a part of it is
// removed because it is the secret too: a password that is the name of its user.
func cleanOutput(t schema.Type, out map[string]any, clean *secret.Redactor) map[string]any {
	cleaned := cleanMap(out, clean)
	for name, f := range t.Fields {
		value, given := out[name]
		if given && f.Type.Kind == schema.Secret && len(schema.Check(f.Type, value)) == 0 {
			cleaned[name] = value
		}
	}
	return cleaned
}

func cleanProgress(p action.Progress, clean *secret.Redactor) action.Progress {
	p.Note, p.Unit = clean.Text(p.Note), clean.Text(p.Unit)
	return p
}

// cleanError removes secrets from the text of err. An error without any stays
// as it is.
func cleanError(err error, clean *secret.Redactor) error {
	if err == nil || clean.Text(err.Error()) == err.Error() {
		return err
	}
	failure, ok := errors.AsType[*action.Error](err)
	if !ok {
		return cleaned{clean.Text(err.Error()), err}
	}
	changed := *failure
	//nolint:errorlint // Only the outermost is meant.
	if outer, direct := err.(*action.Error); direct && outer.Err != nil {
		changed.Remedy, changed.Err = clean.Text(failure.Remedy), cleaned{clean.Text(failure.Err.Error()), failure.Err}
	} else { // what stands around it says more
		changed.Remedy, changed.Err = "", cleaned{clean.Text(err.Error()), err}
	}
	return &changed
}

// cleaned is an error whose text has lost its secrets. It is still found by
// errors.Is, and what it wraps cannot be taken out.
type cleaned struct {
	text  string
	cause error
}

// Error implements error.
func (c cleaned) Error() string { return c.text }

// Is tells whether the cause is target.
func (c cleaned) Is(target error) bool { return errors.Is(c.cause, target) }

// cleanWriter removes secrets from the lines of a log. Each Write is whole
// lines, so no secret of one line is cut.
type cleanWriter struct {
	next  io.Writer
	known *secret.Recorder
}

// Write implements io.Writer.
func (w cleanWriter) Write(p []byte) (int, error) {
	if _, err := io.WriteString(w.next, w.known.Redactor().Text(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}
