package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

// newInit returns the command init.
func newInit(c *console) *cobra.Command {
	f := &initFlags{}
	cmd := &cobra.Command{
		Use:     "init [PROCEDURE]",
		GroupID: groupWrite,
		Short:   "Write a platform file, asking for what it needs",
		Long: `Init asks which platform is upgraded, with which procedure, where its targets are,
for the inputs of the procedure, where backups go and when it may be, and writes
the platform file. Every answer is checked as it is typed, by what refit lint
checks. A secret is never asked for, only where it is. Nothing is written before
everything is right, and an interrupt writes nothing.

Without a terminal, or with --yes, nothing is asked: answers come from flags, and
everything that is missing is reported at once. With TERM=dumb, or when ACCESSIBLE
is set, questions are asked line by line.`,
		Example: `  refit init
  refit init ./procedure.yaml --save wiki.yaml
  refit init ./procedure.yaml --yes --name wiki-prod --target app=./app \
    --input url=https://wiki.example.org --input token=env:WIKI_TOKEN`,
		Args:              atMost(0, 1, "one procedure"),
		ValidArgsFunction: first(c.procedureNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			answers, err := f.answers()
			if err != nil {
				return err
			}
			s, err := c.service()
			if err != nil {
				return err
			}
			req := service.InitRequest{File: f.save, Answers: answers, Getenv: c.app.Getenv}
			if len(args) > 0 {
				req.Procedure = args[0]
			}
			iv, err := s.Interview(req)
			if err != nil {
				return err
			}
			if err := c.interview(cmd.Context(), iv, f); err != nil {
				return err
			}
			return c.initDone(cmd.Context(), s, iv)
		},
	}
	f.add(c, cmd)
	return cmd
}

// initFlags are the flags of init.
type initFlags struct {
	save, name, description, store string
	inputs, targets, windows       []string
	replace, yes                   bool
}

func (f *initFlags) add(c *console, cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.save, "save", "platform.yaml", "`FILE` to write")
	flags.BoolVar(&f.replace, "replace", false, "replace the file when there is one")
	flags.StringVar(&f.name, "name", "", "`NAME` of the platform")
	flags.StringVar(&f.description, "description", "", "`TEXT` that says what the platform is")
	flags.StringArrayVar(&f.targets, "target", nil, "`TARGET.KEY=VALUE` of a target; TARGET=VALUE when it has one key")
	flags.StringArrayVar(&f.inputs, "input", nil,
		"`NAME=VALUE` of an input; of a secret where it is: env:NAME, file:PATH")
	flags.StringVar(&f.store, "store", "", "`ADDRESS` of the backup store: file:///PATH or s3://BUCKET/PREFIX")
	flags.StringArrayVar(&f.windows, "window", nil, "maintenance window as a `TEXT`: \"Sat,Sun 22:00 4h Europe/Paris\"")
	flags.BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	complete(cmd, "save", yamlFiles)
	complete(cmd, "name", nothing)
	complete(cmd, "description", nothing)
	complete(cmd, "store", storeForms())
	complete(cmd, "window", nothing)
	complete(cmd, "target", c.initAnswers("targets."))
	complete(cmd, "input", c.initAnswers("inputs."))
}

// answers turns flags into answers, by the keys of the questions.
func (f *initFlags) answers() (map[string]string, error) {
	out := map[string]string{}
	for key, text := range map[string]string{
		"name": f.name, "description": f.description, "backup.store": f.store, "windows": strings.Join(f.windows, ";"),
	} {
		if text != "" {
			out[key] = text
		}
	}
	for _, list := range []struct {
		flag, prefix string
		values       []string
	}{{"target", "targets.", f.targets}, {"input", "inputs.", f.inputs}} {
		for _, text := range list.values {
			name, value, ok := strings.Cut(text, "=")
			if !ok || name == "" {
				// What stands there may be a secret that was typed in the wrong place.
				return nil, usagef("--%s needs NAME=VALUE", list.flag)
			}
			if _, twice := out[list.prefix+name]; twice {
				return nil, usagef("--%s gives %q twice", list.flag, name)
			}
			out[list.prefix+name] = value
		}
	}
	return out, nil
}

// interview asks until everything is right, and writes the file.
func (c *console) interview(ctx context.Context, iv *service.Interview, f *initFlags) error {
	replace := f.replace
	if f.yes || !c.app.Interactive() {
		if err := iv.MayWrite(replace); err != nil {
			return err
		}
		if !iv.Chosen() {
			return c.noProcedure(iv)
		}
		return iv.Save(replace)
	}
	err := c.askAll(ctx, iv, &replace)
	if errors.Is(err, errLeft) {
		c.sayf("nothing was written")
		return errLeft
	}
	if err != nil {
		return err
	}
	return iv.Save(replace)
}

// noProcedure says that a procedure has to be named, and which there are.
func (c *console) noProcedure(iv *service.Interview) error {
	list, err := iv.Procedures()
	if err != nil {
		return err
	}
	names := make([]string, len(list))
	for i := range list {
		names[i] = list[i].Value
	}
	if len(names) == 0 {
		return usagef("no procedure is named, and there is none here: refit init FILE names the file of one")
	}
	return usagef("no procedure is named: refit init PROCEDURE, such as %s", strings.Join(names, ", "))
}

// initResult is the result of init for programs.
type initResult struct {
	File string `json:"file"`
	// Reach is nil when the installed version cannot be observed.
	Reach *service.Reach `json:"reach,omitempty"`
	// Trouble is why.
	Trouble string `json:"trouble,omitempty"`
	// Commands are what to type next.
	Commands []report.NextCommand `json:"commands"`
}

// reachPatience is how long the installed version is observed for at most: the
// file is written, and this is a convenience.
const reachPatience = 20 * time.Second

// initDone says that the file was written, and what comes next.
func (c *console) initDone(ctx context.Context, s *service.Service, iv *service.Interview) error {
	ctx, cancel := context.WithTimeout(ctx, reachPatience)
	defer cancel()
	file := diag.Position{File: iv.File()}.String()
	result := initResult{File: iv.File()}
	reach, err := s.Reach(ctx, iv.File())
	if err != nil {
		result.Trouble = oneLine(err.Error())
	}
	result.Reach = reach
	to := ""
	if reach != nil && len(reach.Versions) > 0 {
		to = " --to " + reach.Versions[len(reach.Versions)-1].Version
	}
	result.Commands = []report.NextCommand{
		{Command: "refit lint " + file, Why: "check the file again, whenever you have changed it"},
		{Command: "refit doctor " + file, Why: "see whether everything that it needs is there"},
		{Command: "refit plan " + file + to + " --save plan.json", Why: "see what would be done; nothing is changed"},
	}
	return c.show(result, func(w io.Writer, opts report.TextOptions) error { return initText(w, &result, opts) })
}

// initText writes the result of init.
func initText(w io.Writer, r *initResult, opts report.TextOptions) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", opts.Style.Paint(report.Good, "wrote"), diag.Position{File: r.File})
	if text := reachText(r); text != "" {
		b.WriteString(fold(text, opts.Width) + "\n")
	}
	b.WriteString("\n" + opts.Style.Paint(report.Heading, "Next:") + "\n")
	column := 0
	for _, n := range r.Commands {
		column = max(column, len(n.Command))
	}
	for _, n := range r.Commands {
		between := strings.Repeat(" ", column+2-len(n.Command))
		if column+len(n.Why)+len("    ") > opts.Width {
			between = "\n      "
		}
		b.WriteString("  " + n.Command + between + opts.Style.Paint(report.Muted, n.Why) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// reachText says which version is installed, and what that means.
func reachText(r *initResult) string {
	switch {
	case r.Trouble != "":
		return "The installed version could not be observed: " + r.Trouble + "."
	case r.Reach == nil:
		return ""
	case len(r.Reach.Versions) == 0:
		return fmt.Sprintf("Version %s is installed; the procedure leads to no other.", r.Reach.Installed)
	}
	var list []string
	for _, v := range r.Reach.Versions {
		list = append(list, v.Version)
	}
	return fmt.Sprintf("Version %s is installed; it can be upgraded to %s.",
		r.Reach.Installed, strings.Join(list, ", "))
}
