package cli

import (
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

// newImport returns the command import.
func newImport(c *console) *cobra.Command {
	r := service.ImportRequest{}
	cmd := &cobra.Command{
		Use:     "import RUNBOOK.md",
		GroupID: groupWrite,
		Short:   "Make a procedure of a runbook, to be automated step by step",
		Long: `Import reads a page that people follow by hand, in Markdown, and makes a procedure
of it: headings become stages and phases, commands and lists become steps that a
person does, and sentences that say wait, verify, make sure or do not become gates.
Nothing of the page is carried out by Refit until somebody rewrites a step; behind
each command stands a comment that says how.

Without --save the procedure is printed. With --save DIR it is written to
DIR/procedure.yaml, beside a platform file that can be planned at once. What could
not be taken over is listed with its line. "-" reads the standard input.`,
		Example: `  refit import upgrade.md > procedure.yaml
  refit import upgrade.md --save wiki-upgrade
  refit import upgrade.md --save wiki-upgrade --replace
  curl -s https://wiki.example.org/raw/upgrade.md | refit import - --name wiki`,
		Args:              files(1, 1, "one runbook"),
		ValidArgsFunction: first(ending("md", "markdown")),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case cmd.Flags().Changed("save") && r.Folder == "":
				return usagef("--save needs the name of a folder")
			case cmd.Flags().Changed("name") && r.Name == "":
				return usagef("--name needs a name")
			case r.Replace && r.Folder == "":
				return usagef("--replace goes with --save DIR")
			}
			s, err := c.service()
			if err != nil {
				return err
			}
			r.File, r.Input = args[0], c.app.Stdin
			result, err := s.Import(cmd.Context(), r)
			if err != nil {
				return err
			}
			return c.showImport(result)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&r.Name, "name", "", "`NAME` of the procedure (default: made of the title of the page)")
	flags.StringVar(&r.Folder, "save", "", "`DIR` to write procedure.yaml and platform.yaml to")
	flags.BoolVar(&r.Replace, "replace", false,
		"with --save: replace a procedure that is there; a platform file is kept")
	complete(cmd, "name", nothing)
	complete(cmd, "save", folders)
	return cmd
}

// showImport shows the procedure unless it was saved, and tells what was made.
func (c *console) showImport(result *service.ImportResult) error {
	// What the result holds is told on the standard error too, for whoever sends the
	// procedure to a file.
	c.diagnostics(result.Findings)
	n := result.Counts
	c.sayf("%s: %s; %s: %s done and %s judged by a person", diag.Position{File: result.Source},
		plural(n.Stages, "stage"), plural(n.Steps, "step"), strconv.Itoa(n.Work), strconv.Itoa(n.Gates))
	c.sayf("%s in %s; %s to fill in; %s left out", plural(n.Commands, "command"), plural(n.CommandSteps, "step"),
		plural(n.Inputs, "input"), plural(n.Secrets, "secret"))
	err := c.show(result, func(w io.Writer, _ report.TextOptions) error {
		_, err := io.WriteString(w, result.Procedure)
		return err
	})
	if err != nil || len(result.Files) == 0 {
		return err
	}
	c.sayf("saved to %s", quotedNames(result.Files))
	if len(result.Kept) > 0 {
		c.sayf("kept as it is: %s", quotedNames(result.Kept))
	}
	c.sayf("next: refit plan %s", diag.Position{File: filepath.Join(filepath.Dir(result.Files[0]), "platform.yaml")})
	return nil
}

// quotedNames joins names of files.
func quotedNames(names []string) string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = diag.Position{File: name}.String()
	}
	return strings.Join(out, " and ")
}
