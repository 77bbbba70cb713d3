package exec

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/refitproject/refit/internal/action"
)

// ShellInput is the input of exec.shell.
type ShellInput struct {
	Script         string                      `json:"script" doc:"Script for sh -c."`
	Dir            string                      `json:"dir,omitempty" doc:"Working folder, relative to the platform file; default its folder."`
	Env            map[string]string           `json:"env,omitempty" doc:"Environment variables that are added, for observe and undo too."`
	SecretEnv      map[string]action.SecretRef `json:"secretEnv,omitempty" refit:"secret" doc:"Environment variables from secrets, for observe and undo too; their values are removed from all output."`
	SecretFiles    map[string]action.SecretRef `json:"secretFiles,omitempty" refit:"secret" doc:"Environment variables with the paths of files that hold secrets, for observe and undo too; only this user can read a file, and it is gone with the program."`
	SecretStdin    action.SecretRef            `json:"secretStdin,omitempty" refit:"secret" doc:"Standard input of script from a secret."`
	UnchangedExits []int                       `json:"unchangedExits,omitempty" doc:"Exit codes of script that mean that it failed and changed nothing."`
	Progress       *ProgressInput              `json:"progress,omitempty" doc:"How script says how far it has come; default not at all."`
	Observe        string                      `json:"observe,omitempty" doc:"Script that tells whether the effect has happened: exit code 0 for done, 1 for not started, 2 for under way; without it a lost attempt puts the step in doubt."`
	Undo           string                      `json:"undo,omitempty" doc:"Script that takes the effect back, and also succeeds when there is nothing left to take back; without it the step has no inverse."`
}

// underWay is the exit code of an observe script for an effect that goes on.
const underWay = 2

// Shell returns the action exec.shell, which starts its scripts with r.
func Shell(r *Runner) action.Action {
	c := commander{runner: r, script: true}
	return action.Define(action.Definition[ShellInput, CommandOutput]{
		Name:         "exec.shell",
		Version:      1,
		Summary:      "Change the world with a shell script.",
		Effect:       action.Mutating,
		UndoField:    "undo",
		ObserveField: "observe",
		NoUndo:       "no undo script is given",
		Programs:     []string{"sh"},
		Check:        checkShell,
		Preview:      previewShell,
		Observe: func(ctx context.Context, env action.Env, in ShellInput) (action.Observed[CommandOutput], error) {
			return c.observe(ctx, env, in.command())
		},
		Run: func(ctx context.Context, env action.Env, in ShellInput, before map[string]any) (CommandOutput, error) {
			return c.run(ctx, env, in.command(), before)
		},
		Undo: func(ctx context.Context, env action.Env, in ShellInput, before map[string]any) error {
			return c.undo(ctx, env, in.command(), before)
		},
	})
}

// command returns in as the programs that it stands for.
func (in ShellInput) command() CommandInput {
	out := CommandInput{
		Command: sh(in.Script), Dir: in.Dir, Env: in.Env, SecretEnv: in.SecretEnv,
		SecretFiles: in.SecretFiles, SecretStdin: in.SecretStdin, UnchangedExits: in.UnchangedExits,
		Progress: in.Progress,
	}
	if in.Observe != "" {
		out.Observe = &ObserveCommand{Command: sh(in.Observe), InProgressExits: []int{underWay}}
	}
	if in.Undo != "" {
		out.Undo = &UndoCommand{Command: sh(in.Undo)}
	}
	return out
}

func sh(script string) []string { return []string{"sh", "-c", script} }

func checkShell(in ShellInput) error {
	for field, script := range map[string]string{"script": in.Script, "observe": in.Observe, "undo": in.Undo} {
		if strings.ContainsRune(script, 0) {
			return fmt.Errorf("field %q holds a NUL character", field)
		}
	}
	if strings.TrimSpace(in.Script) == "" {
		return errors.New("field \"script\" is empty: write what is to be done")
	}
	return checkCommandInput(in.command())
}

func previewShell(_ context.Context, _ action.Env, in ShellInput) (action.Preview, error) {
	first, more, _ := strings.Cut(strings.TrimSpace(in.Script), "\n")
	text := "run the script: " + quoteWord(first)
	if lines := strings.Count(more, "\n") + 1; more != "" {
		text += fmt.Sprintf(" and more (lines: %d)", lines+1)
	}
	return action.Preview{Summary: text}, nil
}
