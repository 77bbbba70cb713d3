package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

// newIssues returns the command issues with its subcommands.
func newIssues(c *console) *cobra.Command {
	var procedure string
	cmd := &cobra.Command{
		Use:     "issues",
		GroupID: groupWrite,
		Short:   "List what is known to go wrong, and find what a message means",
		Long: `Issues lists the known issues of the procedures that Refit ships, or of one
procedure. When a step has failed, Refit itself shows those that fit.`,
		Example: `  refit issues
  refit issues search found backend type fs
  refit issues show disk-full --procedure ./procedure.yaml`,
		Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.issues(cmd, procedure, "") },
	}
	cmd.PersistentFlags().StringVar(&procedure, "procedure", "",
		"only those of `NAME|FILE`: a procedure, or a file of known issues")
	complete(cmd, "procedure", c.procedureNames)
	cmd.AddCommand(newIssuesSearch(c, &procedure), newIssuesShow(c, &procedure))
	return cmd
}

// newIssuesSearch returns the command issues search.
func newIssuesSearch(c *console, procedure *string) *cobra.Command {
	return &cobra.Command{
		Use:   "search TEXT...",
		Short: "Find the known issues that a message or some words mean",
		Long: `Search finds known issues: first those that recognise the text as the message of
a failure, so that a line can be pasted as it was printed; then those that speak
of all its words. The text - stands for the standard input.

The exit code is 0 also when nothing is found.`,
		Example: `  refit issues search 'found backend type fs, expected xl or xl-single'
  refit issues search istio gateway -o json
  journalctl -u hub | refit issues search -`,
		Args:              files(1, 0, "a text"),
		ValidArgsFunction: nothing,
		RunE: func(cmd *cobra.Command, args []string) error {
			text := strings.Join(args, " ")
			if text == "-" {
				const most = 8 << 20
				data, err := io.ReadAll(io.LimitReader(c.app.Stdin, most))
				if err != nil {
					return usagef("the standard input cannot be read: %w", err)
				}
				text = string(data)
			}
			if strings.TrimSpace(text) == "" {
				return usagef("%s needs a text that is not empty", cmd.CommandPath())
			}
			return c.issues(cmd, *procedure, text)
		},
	}
}

// newIssuesShow returns the command issues show.
func newIssuesShow(c *console, procedure *string) *cobra.Command {
	return &cobra.Command{
		Use:     "show ID",
		Short:   "Show how a known issue is recognised, and what helps",
		Long:    `Show prints everything that is known of one issue, with its source.`,
		Example: `  refit issues show disk-full --procedure ./issues.yaml`,
		Args:    files(1, 1, "one issue"),
		ValidArgsFunction: first(func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return c.offer(func(s *service.Service) ([]service.Offer, error) {
				return s.OfferIssues(contextOf(cmd), *procedure)
			})
		}),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := c.service()
			if err != nil {
				return err
			}
			known, err := s.Issue(cmd.Context(), *procedure, args[0])
			if err != nil {
				return err
			}
			return c.show(known, func(w io.Writer, opts report.TextOptions) error {
				return report.IssueText(w, known, opts)
			})
		},
	}
}

// issues lists known issues; those that a text means when there is one.
func (c *console) issues(cmd *cobra.Command, procedure, text string) error {
	s, err := c.service()
	if err != nil {
		return err
	}
	list, err := s.Issues(cmd.Context(), procedure, text)
	if err != nil {
		return err
	}
	return c.show(list, func(w io.Writer, opts report.TextOptions) error {
		return report.IssuesText(w, list, opts)
	})
}
