package cli

import (
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

// Forms of a report beside JSON.
const (
	formatHTML     = "html"
	formatMarkdown = "markdown"
)

// reportFlags are the flags of the command report.
type reportFlags struct {
	format  choice
	save    string
	replace bool
	verify  bool
	head    string
}

// newReport returns the command report.
func newReport(c *console) *cobra.Command {
	f := &reportFlags{format: choice{
		value: formatHTML, allowed: []string{formatHTML, formatMarkdown, formatJSON},
		texts: []string{"one page for browsers", "for a wiki or a ticket", "for programs"},
	}}
	cmd := &cobra.Command{
		Use:     "report [RUN|FILE]",
		GroupID: groupRun,
		Short:   "Write the report of a run, or verify its history",
		Long: `Report writes what people ask about a run afterwards: what was done, findings and
accepted risks, who approved what, attempts with their evidence, leases, backups
and their proofs, downtime as predicted and as measured, edited files, what remains
and the command to type next.

The page (--format html) is one file, RUN.html if --save does not name it: it needs
no network and no script, and can be read on a phone and printed. Markdown and JSON
go to the standard output, unless --save names a file. -o json prints the report for
programs.

The chain of the whole history is checked first. With --verify nothing else is done:
its head is printed, and --head compares it with one that stands in a report or an
approval. FILE is a run that refit runs export has written, also that of another
machine.`,
		Example: `  refit report wiki-prod-1
  refit report wiki-prod-1 --format markdown > report.md
  refit report wiki-prod-1 --save night.html
  refit report --verify wiki.run --head sha256:0a19fd76dee3`,
		Args:              atMost(0, 1, "one run or one file"),
		ValidArgsFunction: c.runsOrFiles(service.WantAny),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			s, err := c.service()
			if err != nil {
				return err
			}
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			if f.verify {
				return c.verified(cmd, s, name, f.head)
			}
			r, err := s.Report(cmd.Context(), name)
			if err != nil {
				return err
			}
			return c.report(s, f, r)
		},
	}
	f.add(cmd)
	return cmd
}

// add declares the flags.
func (f *reportFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Var(&f.format, "format", "`FORM` of the report: html, markdown or json")
	flags.StringVar(&f.save, "save", "", "`FILE` to save the report to")
	flags.BoolVar(&f.replace, "replace", false, "replace the file, whatever it is")
	flags.BoolVar(&f.verify, "verify", false, "only check the chain of the history, and print its head")
	flags.StringVar(&f.head, "head", "", "with --verify: `HEAD` that must be in the chain, such as sha256:0a19fd76dee3")
	complete(cmd, "format", f.format.complete)
	complete(cmd, "save", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{"html", "md", "json"}, cobra.ShellCompDirectiveFilterFileExt
	})
	complete(cmd, "head", nothing)
}

// check refuses flags that do not fit together, and takes the form from the name
// of the file where none is given.
func (f *reportFlags) check(cmd *cobra.Command) error {
	changed := cmd.Flags().Changed
	switch {
	case f.verify && (changed("format") || changed("save") || f.replace):
		return usagef("--verify writes no report: leave --format, --save and --replace out")
	case f.head != "" && !f.verify:
		return usagef("--head goes with --verify")
	case changed("head") && f.head == "":
		return usagef("--head needs the head of a chain, such as sha256:0a19fd76dee3")
	case changed("save") && (f.save == "" || f.save == "-"):
		return usagef("--save needs a file name: --format markdown and -o json write to the standard output")
	}
	if !changed("format") {
		switch filepath.Ext(f.save) {
		case ".md", ".markdown":
			f.format.value = formatMarkdown
		case ".json":
			f.format.value = formatJSON
		}
	}
	return nil
}

// verified checks a history and shows its head.
func (c *console) verified(cmd *cobra.Command, s *service.Service, name, head string) error {
	v, err := s.VerifyRun(cmd.Context(), name, head)
	if err != nil {
		return err
	}
	return c.show(v, func(w io.Writer, opts report.TextOptions) error { return report.VerifiedText(w, *v, opts) })
}

// report saves a report, or writes it to the standard output.
func (c *console) report(s *service.Service, f *reportFlags, r *report.Report) error {
	write := func(w io.Writer) error {
		switch f.format.value {
		case formatMarkdown:
			return report.RenderMarkdown(w, r)
		case formatJSON:
			return writeJSON(w, r)
		default:
			return report.RenderHTML(w, r)
		}
	}
	file := f.save
	if file == "" && f.format.value == formatHTML && c.output.value == formatText {
		file = r.Run.ID + ".html"
	}
	if file != "" {
		if err := s.SaveReport(file, f.replace, write); err != nil {
			return err
		}
		c.sayf("saved to %s", file)
	}
	switch {
	case c.output.value != formatText:
		return c.show(r, nil)
	case file == "":
		return c.written(write(c.app.Stdout))
	default:
		return nil
	}
}
