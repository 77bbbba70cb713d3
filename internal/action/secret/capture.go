package secret

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
	"github.com/refitproject/refit/internal/secret"
)

// World is what the action works with.
type World struct {
	// Hostname gives the name of the machine.
	Hostname func() (string, error)
	// Tools are what backups say that they were made with.
	Tools []backup.Tool
	// Open opens a store; nil for one that knows no keys of servers.
	Open func(address, dir string) (backup.Store, error)
}

// CaptureInput is the input of secret.capture.
type CaptureInput struct {
	Secret action.SecretRef `json:"secret" refit:"secret" doc:"The secret to capture."`
	Name   string           `json:"name" doc:"Name of the series of captures, such as hub-database."`
	Store  string           `json:"store" doc:"Address of the store, such as file:///backups."`
	Key    action.SecretRef `json:"key" refit:"secret" doc:"Age identity (AGE-SECRET-KEY-1…) that the secret is encrypted for; it must outlive the source too."`
}

// CaptureOutput is the output of secret.capture.
type CaptureOutput struct {
	Reference action.SecretRef `json:"reference" refit:"secret" doc:"Reference to the captured secret, for wherever a secret is expected."`
	Captured  string           `json:"captured" doc:"When it was read from its source, in RFC 3339."`
}

// Capture returns the action secret.capture.
func Capture(w World) action.Action {
	return action.Define(action.Definition[CaptureInput, CaptureOutput]{
		Name:      "secret.capture",
		Version:   1,
		Summary:   "Copy a secret, encrypted, into a backup store, where it outlives its source.",
		Effect:    action.Scratch,
		Resumable: true,
		NoUndo:    "the captured secret may be the only one left; it stays until somebody removes it",
		Check:     checkCapture,
		Preview: func(_ context.Context, _ action.Env, in CaptureInput) (action.Preview, error) {
			from, err := secret.Parse(in.Secret)
			summary := fmt.Sprintf("capture the secret from %s as %q in %s", from, in.Name, in.Store)
			return action.Preview{Summary: summary}, err
		},
		Observe: w.observeCapture,
		Run:     w.runCapture,
	})
}

func checkCapture(in CaptureInput) error {
	key, err := secret.Parse(in.Key)
	switch {
	case !backup.ValidName(in.Name):
		return errors.New("field \"name\" has up to 63 of a-z, 0-9, dot, dash and underscore")
	case err != nil:
		return fmt.Errorf("field \"key\" %w", err)
	case key.Captured != nil:
		return errors.New("field \"key\" must not be a captured secret: keep it elsewhere")
	}
	return nil
}

// capture is one effect: a secret on its way into a store.
type capture struct {
	in    CaptureInput
	id    string
	store backup.Store
	key   *backup.Key
}

func (w World) open(ctx context.Context, env action.Env, in CaptureInput) (*capture, error) {
	c := &capture{in: in, id: backup.ID(in.Name, env.Key, env.Origin)}
	values, err := env.ResolveSecrets(ctx, "key", map[string]action.SecretRef{"key": in.Key})
	if err != nil {
		return nil, err
	}
	if c.key, err = backup.ParseKey(values["key"]); err != nil {
		return nil, action.WithExtent(err, action.ExtentNone)
	}
	open := w.Open
	if open == nil {
		open = backup.Opener{}.Open
	}
	if c.store, err = open(in.Store, env.Dir); err != nil {
		return nil, action.WithExtent(err, action.ExtentNone)
	}
	return c, nil
}

// find returns what the store has of it, nil for nothing.
func (c *capture) find(ctx context.Context) (*backup.Entry, error) {
	e, err := backup.Find(ctx, c.store, c.id)
	if failed, ok := errors.AsType[*action.Error](err); ok && failed.Reason == backup.ReasonBackupNotFound {
		return nil, nil //nolint:nilnil // nothing was stored, which is no error
	}
	return e, action.WithExtent(err, action.ExtentNone)
}

// observeCapture never asks for the secret itself: its source may be gone.
func (w World) observeCapture(
	ctx context.Context, env action.Env, in CaptureInput,
) (action.Observed[CaptureOutput], error) {
	c, err := w.open(ctx, env, in)
	if err != nil {
		return action.Observed[CaptureOutput]{}, err
	}
	e, err := c.find(ctx)
	if err != nil {
		return action.Observed[CaptureOutput]{}, err
	}
	if e == nil {
		return action.Observed[CaptureOutput]{Status: action.NotStarted, Reason: "the store has no such secret"}, nil
	}
	seen := action.Observed[CaptureOutput]{Status: action.Partial}
	if e.Manifest == nil && e.Problem == nil {
		seen.Reason = fmt.Sprintf("the store has %d parts of it", e.Objects)
		return seen, nil
	}
	_, err = backup.Captured(ctx, c.store, c.id, c.key)
	switch _, proved := e.Proof(); {
	case backup.IsDamage(err):
		seen.Reason = err.Error()
	case err != nil:
		return action.Observed[CaptureOutput]{}, action.WithExtent(err, action.ExtentNone)
	case !proved:
		seen.Reason = "it is stored and not proved yet"
	default:
		out := c.output(e.Manifest)
		seen.Status, seen.Output, seen.Reason = action.Done, &out, "it is stored, and is what was captured"
	}
	return seen, nil
}

func (w World) runCapture(
	ctx context.Context, env action.Env, in CaptureInput, _ map[string]any,
) (CaptureOutput, error) {
	c, err := w.open(ctx, env, in)
	if err != nil {
		return CaptureOutput{}, err
	}
	e, err := c.find(ctx)
	if err != nil {
		return CaptureOutput{}, err
	}
	host, err := w.Hostname()
	if err != nil {
		return CaptureOutput{}, fmt.Errorf("read the name of this machine: %w", err)
	}
	worker := backup.Worker{
		Host: host, Tools: w.Tools, Now: env.Now, Key: env.Key, Origin: env.Origin, Report: env.Report,
	}
	m, err := c.keep(ctx, env, worker, e)
	if err != nil {
		return CaptureOutput{}, err
	}
	return c.output(m), c.prove(ctx, worker)
}

// keep stores the secret, unless an attempt before has done so: then its source
// is not asked again, which may be gone.
func (c *capture) keep(
	ctx context.Context, env action.Env, worker backup.Worker, e *backup.Entry,
) (*backup.Manifest, error) {
	if e != nil && (e.Manifest != nil || e.Problem != nil) {
		_, err := backup.Captured(ctx, c.store, c.id, c.key)
		if err == nil {
			return e.Manifest, nil
		}
		if backup.IsDamage(err) {
			err = backup.Discard(ctx, c.store, e)
		}
		if err != nil {
			return nil, action.WithExtent(err, action.ExtentPartial)
		}
	}
	values, err := env.ResolveSecrets(ctx, "secret", map[string]action.SecretRef{"secret": c.in.Secret})
	if err != nil {
		return nil, err
	}
	from, err := secret.Parse(c.in.Secret)
	if err != nil {
		return nil, err
	}
	m, err := worker.Make(ctx, backup.Request{
		Store: c.store, Name: c.in.Name, Key: env.Key, Origin: env.Origin, Kind: backup.Secret, Path: from.String(),
		Lock: c.key, Value: strings.TrimPrefix(values["secret"], from.Prefix),
	})
	return m, action.WithExtent(err, action.ExtentPartial)
}

// prove reads the secret back. One that is damaged already is taken apart, so
// that the next attempt stores it again.
func (c *capture) prove(ctx context.Context, worker backup.Worker) error {
	e, err := backup.Find(ctx, c.store, c.id)
	if err != nil {
		return action.WithExtent(err, action.ExtentPartial)
	}
	if _, proved := e.Proof(); proved {
		return nil
	}
	_, err = worker.Prove(ctx, c.store, e, backup.Restored, c.key)
	if !backup.IsDamage(err) {
		return action.WithExtent(err, action.ExtentPartial)
	}
	if err := backup.Discard(ctx, c.store, e); err != nil {
		return action.WithExtent(err, action.ExtentPartial)
	}
	failed, _ := errors.AsType[*action.Error](action.WithExtent(err, action.ExtentPartial))
	failed.Retryable, failed.Remedy = true, "find out what the store did; a retry stores it again"
	return failed
}

func (c *capture) output(m *backup.Manifest) CaptureOutput {
	prefix, _ := c.in.Secret["prefix"].(string)
	kept := secret.Captured{Backup: c.id, Store: c.in.Store, Key: c.in.Key}
	return CaptureOutput{Reference: kept.Plain(prefix), Captured: m.Began.Format(time.RFC3339Nano)}
}
