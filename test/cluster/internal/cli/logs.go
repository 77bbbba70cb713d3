package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/test/cluster/internal/cluster"
)

func (a *app) logs() *cobra.Command {
	follow := false
	cmd := &cobra.Command{
		Use: "logs COMPONENT", Short: "Print the log of a component.", Args: cobra.ExactArgs(1),
		RunE: a.with(func(cmd *cobra.Command, t cluster.Testbed, args []string) error {
			name, err := t.Log(a.name, args[0])
			if err != nil {
				return err
			}
			file, err := os.Open(name)
			if err != nil {
				return fmt.Errorf("open a log: %w", err)
			}
			defer file.Close() //nolint:errcheck // It was only read.
			return show(cmd.Context(), file, a.streams.Out, follow)
		}),
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on until the cluster is down or you stop it")
	return cmd
}

// show copies a log, and with follow what is added to it, until the file has
// been removed.
func show(ctx context.Context, file *os.File, to io.Writer, follow bool) error {
	for {
		if _, err := io.Copy(to, file); err != nil {
			return fmt.Errorf("read a log: %w", err)
		}
		if _, err := os.Stat(file.Name()); !follow || err != nil {
			return nil //nolint:nilerr // The cluster is down.
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(200 * time.Millisecond):
		}
	}
}
