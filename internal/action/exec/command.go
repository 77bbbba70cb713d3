package exec

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/action"
)

// CommandInput is the input of exec.command.
type CommandInput struct {
	Command        []string                    `json:"command" doc:"Program and its arguments; no shell."`
	Dir            string                      `json:"dir,omitempty" doc:"Working folder, relative to the platform file; default its folder."`
	Env            map[string]string           `json:"env,omitempty" doc:"Environment variables that are added, for observe and undo too."`
	SecretEnv      map[string]action.SecretRef `json:"secretEnv,omitempty" refit:"secret" doc:"Environment variables from secrets, for observe and undo too; their values are removed from all output."`
	SecretFiles    map[string]action.SecretRef `json:"secretFiles,omitempty" refit:"secret" doc:"Environment variables with the paths of files that hold secrets, for observe and undo too; only this user can read a file, and it is gone with the program."`
	Stdin          string                      `json:"stdin,omitempty" doc:"Text for the standard input of command; default empty."`
	SecretStdin    action.SecretRef            `json:"secretStdin,omitempty" refit:"secret" doc:"Standard input of command from a secret."`
	OkExits        []int                       `json:"okExits,omitempty" doc:"Exit codes of command that mean success; default 0 only."`
	UnchangedExits []int                       `json:"unchangedExits,omitempty" doc:"Exit codes of command that mean that it failed and changed nothing."`
	Progress       *ProgressInput              `json:"progress,omitempty" doc:"How command says how far it has come; default not at all."`
	Observe        *ObserveCommand             `json:"observe,omitempty" doc:"How to see whether the effect has happened; without it a lost attempt puts the step in doubt."`
	Undo           *UndoCommand                `json:"undo,omitempty" doc:"How to take the effect back; without it the step has no inverse."`
}

// ObserveCommand tells by an exit code whether the effect has happened.
type ObserveCommand struct {
	Command         []string `json:"command" doc:"Program that changes nothing, and its arguments."`
	DoneExits       []int    `json:"doneExits,omitempty" doc:"Exit codes that mean that the effect has happened; default 0 only."`
	NotStartedExits []int    `json:"notStartedExits,omitempty" doc:"Exit codes that mean that nothing has happened; default 1 only."`
	InProgressExits []int    `json:"inProgressExits,omitempty" doc:"Exit codes that mean that the effect is under way; default none."`
	PartialExits    []int    `json:"partialExits,omitempty" doc:"Exit codes that mean that a part of it has happened, and that command goes on from there; default none."`
}

// UndoCommand takes the effect back.
type UndoCommand struct {
	Command []string `json:"command" doc:"Program and its arguments; it must also succeed when there is nothing left to take back."`
}

// CommandOutput is the output of exec.command.
type CommandOutput struct {
	Observed  bool   `json:"observed" doc:"Tells that the effect was seen by observe instead of the end of command; stdout and stderr are then those of observe."`
	ExitCode  int    `json:"exitCode" doc:"Exit code, 128 and the number of the signal when a signal ended the program."`
	Stdout    string `json:"stdout" doc:"End of standard output without white space around it, at most 24 KiB."`
	Stderr    string `json:"stderr" doc:"End of standard error without white space around it, at most 8 KiB."`
	Truncated bool   `json:"truncated" doc:"Tells that stdout is not all of it."`
}

// beforeKey is the entry of Before with what observe printed, and beforeEnv
// the variable by which undo gets it.
const (
	beforeKey  = "stdout"
	beforeEnv  = "REFIT_BEFORE"
	keepBefore = 16 << 10
)

// Command returns the action exec.command, which starts its programs with r.
func Command(r *Runner) action.Action {
	c := commander{runner: r}
	return action.Define(action.Definition[CommandInput, CommandOutput]{
		Name:         "exec.command",
		Version:      1,
		Summary:      "Change the world with a program.",
		Effect:       action.Mutating,
		UndoField:    "undo",
		ObserveField: "observe",
		NoUndo:       "no undo command is given",
		Resumable:    true, // with partialExits; else nothing is ever seen half done
		Check:        checkCommandInput,
		Preview:      previewCommand,
		Observe:      c.observe,
		Run:          c.run,
		Undo:         c.undo,
	})
}

func checkCommandInput(in CommandInput) error {
	err := checkCommand("command", in.Command, in.Env, names(in.SecretEnv), names(in.SecretFiles))
	if err == nil {
		err = checkHanded(in.SecretEnv, in.SecretFiles, in.Stdin != "" && in.SecretStdin != nil)
	}
	if in.Observe != nil && err == nil {
		err = checkCommand("observe.command", in.Observe.Command)
	}
	if in.Undo != nil && err == nil {
		err = checkCommand("undo.command", in.Undo.Command)
	}
	if err != nil {
		return err
	}
	if err := in.Progress.check(); err != nil {
		return err
	}
	meanings := [][]int{orDefault(in.OkExits, 0), in.UnchangedExits}
	if code, twice := repeated(meanings...); twice {
		return fmt.Errorf("exit code %d of command means two things: let okExits and unchangedExits differ", code)
	}
	if o := in.Observe; o != nil {
		meanings = [][]int{
			orDefault(o.DoneExits, 0), orDefault(o.NotStartedExits, 1), o.InProgressExits, o.PartialExits,
		}
		if code, twice := repeated(meanings...); twice {
			return fmt.Errorf("exit code %d of observe means two things: "+
				"let doneExits, notStartedExits, inProgressExits and partialExits differ", code)
		}
	}
	return nil
}

// repeated returns a code that stands in two of the lists.
func repeated(lists ...[]int) (int, bool) {
	for i, list := range lists {
		for _, other := range lists[i+1:] {
			for _, code := range list {
				if slices.Contains(other, code) {
					return code, true
				}
			}
		}
	}
	return 0, false
}

func previewCommand(_ context.Context, _ action.Env, in CommandInput) (action.Preview, error) {
	return action.Preview{Summary: "run: " + Quote(in.Command)}, nil
}

// commander carries out exec.command, and exec.shell.
type commander struct {
	runner *Runner
	// script tells that messages name the programs by their part instead of by
	// their arguments, which are whole scripts.
	script bool
}

// partMain is the program that has the effect, as messages of exec.shell name it.
const partMain = "script"

// program returns one of the programs of a step, which is the part of that
// name.
func (c commander) program(
	ctx context.Context, env action.Env, in CommandInput, part string, args []string,
) (Program, error) {
	h := handed{vars: in.Env, secretVars: in.SecretEnv, files: in.SecretFiles}
	if part == partMain {
		h.stdin, h.secretStdin = in.Stdin, in.SecretStdin
	}
	p, err := newCommand(ctx, env, args, in.Dir, h)
	if c.script {
		p.Label = part
	}
	return p, err
}

func (c commander) observe(
	ctx context.Context, env action.Env, in CommandInput,
) (action.Observed[CommandOutput], error) {
	switch {
	case in.Observe != nil:
		return c.ask(ctx, env, in)
	case env.Attempted:
		return action.Observed[CommandOutput]{
			Status: action.Unknown,
			Reason: "the command was started before, and no observe command tells what it did",
		}, nil
	default:
		return action.Observed[CommandOutput]{Status: action.NotStarted, Reason: "the command was never started"}, nil
	}
}

// ask starts the observe command and reads its exit code.
func (c commander) ask(
	ctx context.Context, env action.Env, in CommandInput,
) (action.Observed[CommandOutput], error) {
	o := in.Observe
	command, err := c.program(ctx, env, in, "observe", o.Command)
	if err != nil {
		return action.Observed[CommandOutput]{}, err
	}
	res, err := c.runner.Run(ctx, command)
	if err != nil {
		return action.Observed[CommandOutput]{}, action.WithExtent(err, action.ExtentNone)
	}
	seen := action.Observed[CommandOutput]{Reason: fmt.Sprintf("observe ended with exit code %d", res.ExitCode)}
	status, known := o.Meaning(res.ExitCode)
	seen.Status = status
	if status == action.Done {
		out := output(res)
		out.Observed = true
		seen.Output = &out
	}
	if !known {
		remedy := "give the code a meaning in doneExits, notStartedExits, inProgressExits or partialExits, " +
			"or mend the command"
		if c.script {
			remedy = "let it end with 0, 1 or 2, which mean done, not started and under way"
		}
		return seen, &action.Error{
			Reason: reasonObserveUnclear, Retryable: true, Effect: action.ExtentNone, Remedy: remedy,
			Err: fmt.Errorf("observe the effect: %w", failed(command, res, action.ExtentNone)),
		}
	}
	before := &tail{limit: keepBefore}
	_, _ = before.Write([]byte(strings.TrimSpace(res.Stdout)))
	seen.Before = map[string]any{beforeKey: before.String()}
	return seen, nil
}

func (c commander) run(
	ctx context.Context, env action.Env, in CommandInput, _ map[string]any,
) (CommandOutput, error) {
	command, err := c.program(ctx, env, in, partMain, in.Command)
	if err != nil {
		return CommandOutput{}, err
	}
	command.Line = in.Progress.reader(env)
	res, err := c.runner.Run(ctx, command)
	if err != nil {
		return CommandOutput{}, err
	}
	switch {
	case in.Ok(res.ExitCode):
		return output(res), nil
	case in.Unchanged(res.ExitCode):
		failure := failed(command, res, action.ExtentNone)
		failure.Retryable = true
		return CommandOutput{}, failure
	default:
		return CommandOutput{}, failed(command, res, action.ExtentUnknown)
	}
}

func (c commander) undo(ctx context.Context, env action.Env, in CommandInput, before map[string]any) error {
	command, err := c.program(ctx, env, in, "undo", in.Undo.Command)
	if err != nil {
		return err
	}
	if text, ok := before[beforeKey].(string); ok {
		command.Env[beforeEnv] = text
	}
	res, err := c.runner.Run(ctx, command)
	if err != nil {
		return err
	}
	if res.ExitCode != 0 {
		return &action.Error{
			Reason: reasonUndoFailed, Retryable: true, Effect: action.ExtentUnknown,
			Err: fmt.Errorf("take back the effect: %w", failed(command, res, action.ExtentUnknown)),
		}
	}
	return nil
}

func output(res Result) CommandOutput {
	return CommandOutput{
		ExitCode: res.ExitCode, Stdout: strings.TrimSpace(res.Stdout),
		Stderr: strings.TrimSpace(res.Stderr), Truncated: res.Truncated,
	}
}
