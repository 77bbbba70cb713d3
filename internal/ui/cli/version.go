package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/report"
)

// newVersion returns the command version. It starts nothing: it has to answer
// at once.
func newVersion(c *console) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		GroupID: groupHelp,
		Short:   "Print the version of Refit",
		Long:    `Version prints the version of Refit, and what it was built from and with.`,
		Example: `  refit version
  refit version -o json`,
		Args:              none,
		ValidArgsFunction: nothing,
		RunE: func(*cobra.Command, []string) error {
			b := c.app.Build
			return c.show(b, func(w io.Writer, _ report.TextOptions) error {
				_, err := io.WriteString(w, versionText(b))
				return err
			})
		},
	}
}

// versionText is the line that identifies the program.
func versionText(b Build) string {
	commit := ""
	if b.Commit != "" {
		commit = ", commit " + b.Commit
	}
	return fmt.Sprintf("refit %s (%s, %s%s)\n", b.Version, b.Go, b.Platform, commit)
}
