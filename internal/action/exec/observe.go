package exec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/action"
)

// maxParsed is how much output exec.observe parses as JSON or lines, in bytes.
const maxParsed = 1 << 20

// ObserveInput is the input of exec.observe.
type ObserveInput struct {
	Command     []string                    `json:"command" doc:"Program and its arguments; no shell."`
	Dir         string                      `json:"dir,omitempty" doc:"Working folder, relative to the platform file; default its folder."`
	Env         map[string]string           `json:"env,omitempty" doc:"Environment variables that are added."`
	SecretEnv   map[string]action.SecretRef `json:"secretEnv,omitempty" refit:"secret" doc:"Environment variables from secrets; their values are removed from all output."`
	SecretFiles map[string]action.SecretRef `json:"secretFiles,omitempty" refit:"secret" doc:"Environment variables with the paths of files that hold secrets; only this user can read a file, and it is gone with the program."`
	Stdin       string                      `json:"stdin,omitempty" doc:"Text for the program's standard input; default empty."`
	SecretStdin action.SecretRef            `json:"secretStdin,omitempty" refit:"secret" doc:"Standard input of the program from a secret."`
	Format      string                      `json:"format,omitempty" enum:"raw,json,lines" doc:"How to read standard output into value: raw (default) leaves it in stdout."`
	OkExits     []int                       `json:"okExits,omitempty" doc:"Exit codes that mean that the answer counts; default 0 only."`
}

// ObserveOutput is the output of exec.observe.
type ObserveOutput struct {
	ExitCode  int    `json:"exitCode" doc:"Exit code, 128 and the number of the signal when a signal ended the program."`
	Stdout    string `json:"stdout" doc:"End of standard output without white space around it, at most 24 KiB; empty unless the format is raw."`
	Stderr    string `json:"stderr" doc:"End of standard error without white space around it, at most 8 KiB."`
	Truncated bool   `json:"truncated" doc:"Tells that stdout is not all of it."`
	Value     any    `json:"value,omitempty" doc:"Standard output read as JSON, or the list of its lines."`
}

// Observe returns the action exec.observe, which starts its programs with r.
func Observe(r *Runner) action.Action {
	return action.Define(action.Definition[ObserveInput, ObserveOutput]{
		Name:    "exec.observe",
		Version: 1,
		Summary: "Read a fact from the output of a program.",
		Effect:  action.ReadOnly,
		Check: func(in ObserveInput) error {
			err := checkCommand("command", in.Command, in.Env, names(in.SecretEnv), names(in.SecretFiles))
			if err != nil {
				return err
			}
			return checkHanded(in.SecretEnv, in.SecretFiles, in.Stdin != "" && in.SecretStdin != nil)
		},
		Preview: func(_ context.Context, _ action.Env, in ObserveInput) (action.Preview, error) {
			return action.Preview{Summary: "read the output of: " + Quote(in.Command)}, nil
		},
		Observe: func(ctx context.Context, env action.Env, in ObserveInput) (action.Observed[ObserveOutput], error) {
			out, err := observe(ctx, r, env, in)
			if failure, ok := errors.AsType[*action.Error](err); ok && failure.Reason == reasonCommandFailed {
				// It was asked, and says no: a check has failed. Asking again for ever would hide that.
				return action.Observed[ObserveOutput]{Status: action.Failed, Reason: failure.Err.Error()}, nil
			}
			if err != nil {
				return action.Observed[ObserveOutput]{}, err
			}
			return action.Saw(out), nil
		},
	})
}

func observe(ctx context.Context, r *Runner, env action.Env, in ObserveInput) (ObserveOutput, error) {
	parsed := in.Format == "json" || in.Format == "lines"
	c, err := newCommand(ctx, env, in.Command, in.Dir, handed{
		vars: in.Env, secretVars: in.SecretEnv, files: in.SecretFiles, stdin: in.Stdin, secretStdin: in.SecretStdin,
	})
	if err != nil {
		return ObserveOutput{}, err
	}
	if parsed {
		c.KeepStdout = maxParsed
	}
	res, err := r.Run(ctx, c)
	if err != nil {
		return ObserveOutput{}, action.WithExtent(err, action.ExtentNone)
	}
	if !slices.Contains(orDefault(in.OkExits, 0), res.ExitCode) {
		return ObserveOutput{}, failed(c, res, action.ExtentNone)
	}
	out := ObserveOutput{ExitCode: res.ExitCode, Stderr: strings.TrimSpace(res.Stderr), Truncated: res.Truncated}
	if !parsed {
		out.Stdout = strings.TrimSpace(res.Stdout)
		return out, nil
	}
	out.Value, err = parse(c, res, in.Format)
	return out, err
}

// parse reads the whole of standard output; half of a document would be a
// wrong fact.
func parse(c Program, res Result, format string) (any, error) {
	if res.Truncated {
		return nil, &action.Error{
			Reason: reasonOutputTooLarge, Effect: action.ExtentNone, Remedy: "let the program print less",
			Err: fmt.Errorf("%s printed more than %d bytes", c.label(), maxParsed),
		}
	}
	if format == "lines" {
		lines := []any{}
		for line := range strings.Lines(res.Stdout) {
			lines = append(lines, strings.TrimRight(line, "\r\n"))
		}
		return lines, nil
	}
	value, err := action.ParseJSON(bytes.TrimSpace([]byte(res.Stdout)))
	if err != nil {
		return nil, &action.Error{
			Reason: reasonOutputNotJSON, Effect: action.ExtentNone,
			Remedy: "let the program print JSON and nothing else, or use another format",
			Err:    fmt.Errorf("read the output of %s as JSON: %w", Quote(c.Args), err),
		}
	}
	// JSON can be written in many ways; what it says is looked at once more.
	return c.redactor().Value(value), nil
}
