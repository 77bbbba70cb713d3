package cli

import (
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

// newDetect returns the command detect.
func newDetect(c *console) *cobra.Command {
	req := service.DetectRequest{}
	var dir string
	var replace bool
	cmd := &cobra.Command{
		Use:     "detect",
		GroupID: groupWrite,
		Short:   "Find platforms in a cluster, and write their platform files",
		Long: `Detect looks in a cluster for the platforms that Refit ships procedures for, and
shows what it could find out of what these ask for, and what it could not. With
--write it writes a platform file for each; what is open stands there as a comment
that says what to do. Nothing is changed in the cluster. Values of Secrets are not
among what is found: a secret is named in the platform file by where it is.

It needs to list and read the Secrets in which Helm keeps releases, in all
namespaces.`,
		Example: `  refit detect
  refit detect --context prod --write .
  refit detect --kubeconfig ./kubeconfig -o json`,
		Args:              none,
		ValidArgsFunction: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.service()
			if err != nil {
				return err
			}
			found, err := s.Detect(cmd.Context(), req)
			if err != nil {
				return err
			}
			if dir != "" {
				for i := range found.Platforms {
					p := &found.Platforms[i]
					file := filepath.Join(dir, p.Name+".yaml")
					if err := s.WriteDetected(*p, req, file, replace); err != nil {
						return err
					}
					p.File = file
				}
			}
			return c.show(found, func(w io.Writer, opts report.TextOptions) error {
				return report.DetectedText(w, &found, opts)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&req.Context, "context", "", "`CONTEXT` of the kubeconfig; default the current one")
	flags.StringVar(&req.Kubeconfig, "kubeconfig", "",
		"kubeconfig `FILE`; default what KUBECONFIG names, or ~/.kube/config")
	flags.StringVar(&dir, "write", "", "write platform files to this `FOLDER`")
	flags.BoolVar(&replace, "replace", false, "replace platform files that are there")
	complete(cmd, "context", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return service.Contexts(c.app.Getenv), cobra.ShellCompDirectiveNoFileComp
	})
	complete(cmd, "kubeconfig", anyFile)
	complete(cmd, "write", folders)
	return cmd
}
