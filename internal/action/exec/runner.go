package exec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/secret"
)

// The reasons of errors of this package. The pages of the actions explain
// them.
const (
	reasonProgramNotFound   = "ProgramNotFound"
	reasonProgramNotStarted = "ProgramNotStarted"
	reasonFolderNotFound    = "FolderNotFound"
	reasonInterrupted       = "Interrupted"
	reasonCommandFailed     = "CommandFailed"
	reasonOutputTooLarge    = "OutputTooLarge"
	reasonOutputNotJSON     = "OutputNotJSON"
	reasonObserveUnclear    = "ObserveUnclear"
	reasonUndoFailed        = "UndoFailed"
	reasonChildNotRecorded  = "ChildNotRecorded"
)

// grace is how long a program may go on after it was asked to end, and how
// long its output is waited for when it left children behind.
const grace = 3 * time.Second

// Runner starts programs. It is safe for concurrent use.
type Runner struct {
	environ []string

	mu sync.Mutex
	// running are the programs that were started and have not ended.
	running map[*exec.Cmd]struct{}
	// withheld are the variables of environ that programs do not get.
	withheld map[string]bool
	// closed is set by KillAll: nothing is started any more.
	closed bool
}

// NewRunner returns a Runner whose programs get the environment environ, as
// "NAME=value", and nothing else beside what a Program adds.
func NewRunner(environ []string) *Runner {
	return &Runner{environ: slices.Clone(environ), running: map[*exec.Cmd]struct{}{}, withheld: map[string]bool{}}
}

// Withhold implements secret.Programs. It holds for all programs that are started
// from now on.
func (r *Runner) Withhold(names ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range names {
		r.withheld[name] = true
	}
}

// isWithheld tells whether a program does not inherit a variable. How programs are
// found and where they may write is no secret, whatever refers to it.
func (r *Runner) isWithheld(c Program, name string) bool {
	if c.whole || name == "PATH" || name == "HOME" {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.withheld[name]
}

// errClosed is returned when a program is to be started after KillAll.
var errClosed = errors.New("this program is ending")

// KillAll kills every program that runs, with all that it started, and lets no
// other one start. It is for the moment before the process itself exits:
// nobody waits for the programs any more.
func (r *Runner) KillAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for cmd := range r.running {
		killGroup(cmd)
	}
}

// start starts cmd and remembers it. Both happen under the lock, so that no
// program slips through between KillAll and the end of the process.
func (r *Runner) start(cmd *exec.Cmd) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return errClosed
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	r.running[cmd] = struct{}{}
	return nil
}

// wait waits for cmd, ends what is left of its group and forgets it.
func (r *Runner) wait(cmd *exec.Cmd) error {
	err := cmd.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	endGroup(cmd)
	delete(r.running, cmd)
	return err
}

// Program is one program to start.
type Program struct {
	// Args are the program and its arguments. A program without a slash is
	// looked up in PATH, one with a slash is relative to Dir.
	Args []string
	// Label names the program in messages; empty means its arguments.
	Label string
	// Dir is the absolute working directory.
	Dir string
	// Env is added to the environment of the Runner; Unset is removed from it.
	Env   map[string]string
	Unset []string
	Stdin string
	// From is read as standard input instead of Stdin, and To takes standard output,
	// which is then neither kept nor logged; nil for neither. They are for data that
	// is too much to keep.
	From io.Reader
	To   io.Writer
	// Files are contents that the program reads from files: the variable holds the
	// path, of a file that only this user can read and that ends with the program.
	// FileArg stands for the path in Args.
	Files map[string]string
	// Secrets are values that are replaced in everything the program prints.
	Secrets []string
	// Key is the key of the effect, in action.KeyVariable of the environment.
	Key string
	// Log takes what the program prints, line by line and without secrets; nil
	// when nobody reads it.
	Log io.Writer
	// Line is told each line that the program prints, without secrets, from any
	// goroutine and one at a time; nil when nobody reads them.
	Line func(string)
	// Children is told that the program runs; nil when nobody keeps a record.
	Children action.Children
	// whole gives it all of the environment of the Runner: it is the program of a
	// reference to a secret, and may need one to get at it.
	whole bool
	// KeepStdout is how much of the end of standard output is kept, in bytes;
	// 0 means DefaultStdout.
	KeepStdout int
}

// FileArg stands in Program.Args for the path of the file that is called name in
// Program.Files.
func FileArg(name string) string { return "\x00" + name + "\x00" }

// Result is how a program ended by itself.
type Result struct {
	ExitCode int
	// Stdout and Stderr are the ends of what the program printed, as valid
	// UTF-8 without secrets.
	Stdout, Stderr string
	// Truncated tells that Stdout is not all of it.
	Truncated bool
}

// Run starts c and waits until it has ended. A program that ended by itself is
// a Result, whatever its exit code. The error is an *action.Error: with
// ExtentNone when the program was not started, else with ExtentUnknown. A
// program that could not be recorded is killed.
func (r *Runner) Run(ctx context.Context, c Program) (Result, error) {
	if len(c.Files) > 0 {
		paths, remove, err := handOver(c.Files)
		if err != nil {
			return Result{}, notHandedOver(c, err)
		}
		defer remove()
		c.Env = maps.Clone(c.Env)
		if c.Env == nil {
			c.Env = map[string]string{}
		}
		maps.Copy(c.Env, paths)
		c.Args = slices.Clone(c.Args)
		for i := range c.Args {
			for name, path := range paths {
				c.Args[i] = strings.ReplaceAll(c.Args[i], FileArg(name), path)
			}
		}
	}
	env := r.environment(c)
	program, err := lookUp(c, env)
	if err != nil {
		return Result{}, err
	}
	stdout := &tail{limit: cmp.Or(c.KeepStdout, DefaultStdout)}
	stderr := &tail{limit: keepStderr}
	cmd := exec.CommandContext(ctx, program, c.Args[1:]...)
	cmd.Args[0], cmd.Dir, cmd.Env = c.Args[0], c.Dir, env
	log := newLineLog(c)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(c.Stdin), log.also(stdout), log.also(stderr)
	if c.From != nil {
		cmd.Stdin = c.From
	}
	if c.To != nil {
		cmd.Stdout = c.To
	}
	cmd.WaitDelay = grace
	ownGroup(cmd)
	if err := r.start(cmd); err != nil {
		return Result{}, notStarted(ctx, c, err)
	}
	child := action.Child{PID: cmd.Process.Pid, StartTime: startTime(cmd.Process.Pid), Key: c.Key}
	if err := recordChild(ctx, c, child); err != nil {
		killGroup(cmd)
		_ = r.wait(cmd) // it was killed, which is no news
		return Result{}, err
	}
	err = r.wait(cmd)
	log.flush()
	if c.Children != nil {
		c.Children.Ended(child)
	}
	return result(ctx, c, err, stdout, stderr, cmd)
}

// result tells a program that ended by itself from one that was ended.
func result(ctx context.Context, c Program, err error, stdout, stderr *tail, cmd *exec.Cmd) (Result, error) {
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil && err != nil:
		return Result{}, &action.Error{
			Reason: reasonInterrupted, Retryable: true, Effect: action.ExtentUnknown,
			Err: fmt.Errorf("program %q was ended: %w", c.Args[0], context.Cause(ctx)),
		}
	case err == nil, errors.As(err, &exit), errors.Is(err, exec.ErrWaitDelay):
	default:
		return Result{}, &action.Error{
			Reason: reasonInterrupted, Effect: action.ExtentUnknown,
			Err: fmt.Errorf("wait for program %q: %w", c.Args[0], err),
		}
	}
	res := Result{
		ExitCode: exitCode(cmd.ProcessState), Truncated: stdout.truncated,
		Stdout: redact(stdout, c), Stderr: redact(stderr, c),
	}
	return res, nil
}

// environment returns the environment of c; later entries win, so each name
// stands in it once.
func (r *Runner) environment(c Program) []string {
	env := map[string]string{}
	for _, entry := range r.environ {
		if name, value, ok := strings.Cut(entry, "="); ok && !r.isWithheld(c, name) {
			env[name] = value
		}
	}
	for _, name := range c.Unset {
		delete(env, name)
	}
	maps.Copy(env, c.Env)
	if c.Key != "" { // last: programs are found by it
		env[action.KeyVariable] = c.Key
	}
	list := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

func notStarted(ctx context.Context, c Program, err error) error {
	if ctx.Err() != nil {
		return &action.Error{
			Reason: reasonInterrupted, Retryable: true, Effect: action.ExtentNone,
			Err: fmt.Errorf("program %q was not started: %w", c.Args[0], context.Cause(ctx)),
		}
	}
	return &action.Error{
		Reason: reasonProgramNotStarted, Effect: action.ExtentNone,
		Remedy: "check that it is a program for this machine and that the command is not too long",
		Err:    fmt.Errorf("start program %q: %w", c.Args[0], err),
	}
}

func notHandedOver(c Program, err error) error {
	return &action.Error{
		Reason: reasonProgramNotStarted, Retryable: true, Effect: action.ExtentNone,
		Remedy: "see whether the memory or the temporary folder of this machine is full",
		Err:    fmt.Errorf("start program %q: keep a secret in a file for it: %w", c.Args[0], err),
	}
}

// label is the program as messages name it.
func (c Program) label() string {
	if c.Label != "" {
		return c.Label
	}
	return "command " + Quote(c.Args)
}

// redactor removes the secrets of c.
func (c Program) redactor() *secret.Redactor { return secret.NewRedactor(c.Secrets...) }

// redact returns what a program printed without secrets. Where the beginning
// is lost, half of a secret may be left there.
func redact(printed *tail, c Program) string {
	text := printed.String()
	if printed.truncated {
		return c.redactor().Tail(text)
	}
	return c.redactor().Text(text)
}
