package secret

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup"
	"github.com/refitproject/refit/internal/kube"
)

// MaxBytes is the size of the largest secret.
const MaxBytes = 64 << 10

// Programs starts programs. It is safe for concurrent use.
type Programs interface {
	// Reveal starts the program of a reference and returns what it printed, as
	// UTF-8 text of at most limit bytes. The error holds nothing of what it
	// printed.
	Reveal(ctx context.Context, dir string, args []string, limit int) (string, error)
	// Withhold keeps variables of the environment from programs, but for those
	// that Reveal starts.
	Withhold(names ...string)
}

// Resolver reads secrets. The zero Resolver has an empty environment, knows no
// programs and reads absolute paths only. It is safe for concurrent use.
type Resolver struct {
	// Environ is the environment, as "NAME=value".
	Environ []string
	// Programs starts commands, in the folder Dir.
	Programs Programs
	// Stores opens the backup stores of captured secrets.
	Stores backup.Opener
	// Clusters connects to the clusters whose Secrets are meant; nil for none.
	Clusters *kube.Connector
	// Targets are those of the platform, Own the name of that of the step: see At.
	Targets []action.Target
	Own     string
	// Dir is the absolute folder that paths are relative to: the folder of the
	// platform file.
	Dir string
}

var _ action.TargetSecrets = Resolver{}

// In returns r for a platform whose file is in dir.
func (r Resolver) In(dir string) Resolver {
	r.Dir = dir
	return r
}

// At implements action.TargetSecrets.
func (r Resolver) At(targets []action.Target, own string) action.Secrets {
	r.Targets, r.Own = targets, own
	return r
}

// Withhold keeps environment variables that hold secrets from the programs that
// are started: these get a secret only where a step says so.
func (r Resolver) Withhold(names ...string) {
	if r.Programs != nil && len(names) > 0 {
		r.Programs.Withhold(names...)
	}
}

// Resolve implements action.Secrets: it returns the value that a reference
// names, with the prefix of the reference before it. A value is UTF-8 text
// without NUL, is not empty, and has lost one line end behind it. The error is
// an *action.Error without effect.
func (r Resolver) Resolve(ctx context.Context, reference map[string]any) (string, error) {
	parsed, err := Parse(reference)
	if err != nil {
		return "", unavailable(fmt.Errorf("secret reference %w", err), "")
	}
	value, err := r.read(ctx, parsed)
	if err == nil {
		err = checkValue(value)
	}
	if failure, ok := errors.AsType[*action.Error](err); ok {
		failure.Err = fmt.Errorf("secret from %s: %w", parsed, failure.Err)
		return "", failure
	}
	if err != nil {
		return "", unavailable(fmt.Errorf("secret from %s: %w", parsed, err), "")
	}
	return parsed.Prefix + value, nil
}

// unavailable makes the error of a secret that there is none of.
func unavailable(err error, remedy string) *action.Error {
	return &action.Error{Reason: action.ReasonSecretUnavailable, Effect: action.ExtentNone, Remedy: remedy, Err: err}
}

func (r Resolver) read(ctx context.Context, from Reference) (string, error) {
	switch {
	case from.Env != "":
		r.Withhold(from.Env)
		return r.variable(from.Env)
	case from.File != "":
		return r.file(from.File)
	case len(from.Command) > 0:
		return r.command(ctx, from.Command)
	case from.Captured != nil:
		return r.captured(ctx, *from.Captured)
	case from.Kubernetes != nil:
		return r.inCluster(ctx, *from.Kubernetes)
	default:
		return "", errors.New("the reference has no form")
	}
}

func (r Resolver) variable(name string) (string, error) {
	for _, entry := range r.Environ {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value, nil
		}
	}
	return "", unavailable(errors.New("it is not set"), "set it where Refit is started")
}

func (r Resolver) file(name string) (string, error) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(r.Dir, name)
	}
	info, err := os.Stat(name)
	if err != nil {
		return "", unavailable(plain(err), "create it or correct the path")
	}
	if !info.Mode().IsRegular() { // a pipe could be waited for without end
		return "", unavailable(errors.New("it is not a regular file"), "name a file")
	}
	f, err := os.Open(name)
	if err != nil {
		return "", unavailable(plain(err), "let Refit read it")
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	if err != nil {
		return "", unavailable(plain(err), "")
	}
	return withoutLineEnd(string(data)), nil
}

// captured reads a secret from the store that keeps it.
func (r Resolver) captured(ctx context.Context, from Captured) (string, error) {
	text, err := r.Resolve(ctx, from.Key)
	if err != nil {
		return "", withReason(fmt.Errorf("its key: %w", err), err)
	}
	key, err := backup.ParseKey(text)
	if err != nil {
		return "", withReason(err, err)
	}
	store, err := r.Stores.Open(from.Store, r.Dir)
	if err != nil {
		return "", withReason(err, err)
	}
	id := from.Backup
	if id == "" {
		if id, err = backup.NewestCaptured(ctx, store, from.Name); err != nil {
			return "", withReason(err, err)
		}
	}
	value, err := backup.Captured(ctx, store, id, key)
	if err != nil {
		return "", withReason(err, err)
	}
	return value, nil
}

// withReason makes err the error of a secret that cannot be had, and says of it
// what its cause says: the remedy, and whether it may be better the next time.
func withReason(err, cause error) *action.Error {
	out := unavailable(err, "")
	if failed, ok := errors.AsType[*action.Error](cause); ok {
		out.Retryable = failed.Retryable
	}
	return out
}

func (r Resolver) command(ctx context.Context, args []string) (string, error) {
	if r.Programs == nil {
		return "", unavailable(errors.New("programs cannot be started here"), "use env or file")
	}
	value, err := r.Programs.Reveal(ctx, r.Dir, args, MaxBytes+1)
	if err != nil {
		failure := unavailable(err, "start it by hand to see what it says")
		failure.Retryable = true
		return "", failure
	}
	return withoutLineEnd(value), nil
}

// checkValue refuses what cannot be a secret, or could not be recognised when
// it is printed.
func checkValue(value string) error {
	switch {
	case value == "":
		return errors.New("it is empty")
	case len(value) > MaxBytes:
		return fmt.Errorf("it is larger than %d bytes", MaxBytes)
	case !utf8.ValidString(value):
		return errors.New("it is not UTF-8 text")
	case strings.ContainsRune(value, 0):
		return errors.New("it holds a NUL character")
	default:
		return nil
	}
}

// withoutLineEnd removes the line end that editors and programs write behind a
// text.
func withoutLineEnd(s string) string {
	return strings.TrimSuffix(strings.TrimSuffix(s, "\n"), "\r")
}

// plain returns an error of a file without the path, which the message has
// already.
func plain(err error) error {
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		return failed.Err
	}
	return err
}
