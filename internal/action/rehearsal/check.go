package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
)

// CheckInput is the input of rehearsal.check.
type CheckInput struct {
	Report string        `json:"report" doc:"File with the report of the rehearsal as JSON, relative to the platform file."`
	Digest string        `json:"digest" doc:"Digest of what is rehearsed: path.rehearsal."`
	Within time.Duration `json:"within" doc:"How old the rehearsal may be."`
}

// CheckOutput is the output of rehearsal.check.
type CheckOutput struct {
	Run   string `json:"run" doc:"Run of the rehearsal."`
	Ended string `json:"ended" doc:"When it ended, in RFC 3339."`
	Head  string `json:"head" doc:"Head of its history, for refit report --verify."`
}

// The reasons of errors of this package.
const (
	reasonNotReadable = "NotReadable"
	reasonNoReport    = "NotAReport"
)

// form is that of reports which can be read.
const form = "refit.dev/report/v1"

// largest is how large a report may be, in bytes.
const largest = 64 << 20

// report is what is read of a report.
type report struct {
	Form  string    `json:"form"`
	Ended time.Time `json:"ended"`
	Run   struct {
		ID     string `json:"id"`
		Status string `json:"status"`
		Head   string `json:"head"`
	} `json:"run"`
	Rehearsal struct {
		Digest  string   `json:"digest"`
		Targets []target `json:"targets"`
	} `json:"rehearsal"`
}

// target is what a rehearsal was carried out on.
type target struct {
	Kind     string `json:"kind"`
	Identity string `json:"identity"`
}

// Check returns the action rehearsal.check.
func Check() action.Action {
	return action.Define(action.Definition[CheckInput, CheckOutput]{
		Name:    "rehearsal.check",
		Version: 1,
		Summary: "Check that what the plan does was rehearsed elsewhere, with success and not long ago.",
		Effect:  action.ReadOnly,
		Check:   checkInput,
		Preview: func(_ context.Context, _ action.Env, in CheckInput) (action.Preview, error) {
			return action.Preview{Summary: fmt.Sprintf("read the report of a rehearsal, %q", in.Report)}, nil
		},
		Observe: observe,
		Access:  action.NoAccess[CheckInput],
	})
}

func checkInput(in CheckInput) error {
	switch {
	case in.Report == "" || strings.ContainsRune(in.Report, 0):
		return errors.New("field \"report\" must be the path of a file")
	case !strings.HasPrefix(in.Digest, "sha256:"):
		return fmt.Errorf("field \"digest\" is %q, needs the digest of what is rehearsed: ${path.rehearsal}", in.Digest)
	case in.Within <= 0:
		return errors.New("field \"within\" must be positive")
	}
	return nil
}

func observe(ctx context.Context, env action.Env, in CheckInput) (action.Observed[CheckOutput], error) {
	var seen action.Observed[CheckOutput]
	if err := ctx.Err(); err != nil {
		return seen, fmt.Errorf("read the report of a rehearsal: %w", err)
	}
	r, err := read(env, in.Report)
	if errors.Is(err, fs.ErrNotExist) {
		seen.Status = action.Failed
		seen.Reason = fmt.Sprintf("there is no report of a rehearsal at %q: carry this procedure out on the same path "+
			"elsewhere, such as on a staging cluster, then refit report RUN --format json > %s", in.Report, in.Report)
		return seen, nil
	}
	if err != nil {
		return seen, err
	}
	if why := r.unfit(env, in); why != "" {
		seen.Status, seen.Reason = action.Failed, why
		return seen, nil
	}
	return action.Saw(CheckOutput{
		Run: r.Run.ID, Ended: r.Ended.UTC().Format(time.RFC3339), Head: r.Run.Head,
	}), nil
}

// read reads a report. A file that is not there is fs.ErrNotExist; other errors are
// *action.Errors.
func read(env action.Env, path string) (report, error) {
	var r report
	name := path
	if !filepath.IsAbs(name) {
		name = filepath.Join(env.Dir, name)
	}
	refused := func(reason, remedy, format string, args ...any) (report, error) {
		return r, &action.Error{
			Reason: reason, Effect: action.ExtentNone, Remedy: remedy,
			Err: fmt.Errorf("read the report of a rehearsal, %q: "+format, append([]any{path}, args...)...),
		}
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return r, fs.ErrNotExist
	case err != nil:
		return refused(reasonNotReadable, "check its permissions, and those of the folders above it", "%w", bare(err))
	case !info.Mode().IsRegular() || info.Size() > largest:
		return refused(reasonNoReport, "name a file that refit report --format json has written",
			"it is no file, or larger than 64 MiB")
	}
	data, err := os.ReadFile(filepath.Clean(name))
	if err != nil {
		return refused(reasonNotReadable, "check its permissions", "%w", bare(err))
	}
	if err := json.Unmarshal(data, &r); err != nil || r.Form != form {
		return refused(reasonNoReport, "write it with refit report RUN --format json",
			"it is no report of the form %s", form)
	}
	return r, nil
}

// bare is what the system says, without the path that stands in the message already.
func bare(err error) error {
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		return failed.Err
	}
	return err
}

// unfit says why a rehearsal does not count, "" when it does.
func (r report) unfit(env action.Env, in CheckInput) string {
	what := fmt.Sprintf("the rehearsal %q", r.Run.ID)
	switch {
	case r.Run.Status != "Succeeded":
		return fmt.Sprintf("%s has not succeeded, it is %s: mend what went wrong, and rehearse again",
			what, r.Run.Status)
	case r.Rehearsal.Digest != in.Digest:
		return fmt.Sprintf("%s was of something else: its digest for rehearsals is %s, that of this plan %s: "+
			"rehearse this procedure on this path", what, short(r.Rehearsal.Digest), short(in.Digest))
	case r.Ended.After(env.Now()):
		return fmt.Sprintf("%s has ended at %s, which is later than now: check the clocks",
			what, r.Ended.UTC().Format(time.RFC3339))
	}
	if age := env.Now().Sub(r.Ended); age > in.Within {
		return fmt.Sprintf("%s has ended at %s, %s ago, and may be %s old: rehearse again",
			what, r.Ended.UTC().Format(time.RFC3339), days(age), days(in.Within))
	}
	here := env.Target.Identity != "" &&
		slices.Contains(r.Rehearsal.Targets, target{env.Target.Kind, env.Target.Identity})
	if here {
		return fmt.Sprintf("%s was on the target of this plan, %s: rehearse on another one", what, env.Target.Identity)
	}
	return ""
}

// short is enough of a digest for people.
func short(digest string) string {
	const most = len("sha256:") + 12
	if digest == "" {
		return "missing"
	}
	return digest[:min(len(digest), most)]
}

// days writes a long time as people say it.
func days(d time.Duration) string {
	const day = 24 * time.Hour
	if d < 2*day {
		return d.Round(time.Minute).String()
	}
	return fmt.Sprintf("%d days", int(d/day))
}
