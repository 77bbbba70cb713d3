package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/test/cluster/internal/cluster"
)

func (a *app) status() *cobra.Command {
	form, all := "", false
	cmd := &cobra.Command{
		Use: "status", Short: "Say how the cluster is.", Args: cobra.NoArgs,
		RunE: a.with(func(cmd *cobra.Command, t cluster.Testbed, _ []string) error {
			if form != "text" && form != "json" {
				return fmt.Errorf("--output %q: one of text, json", form)
			}
			names := []string{a.name}
			if all {
				var err error
				if names, err = t.Names(); err != nil {
					return err
				}
			}
			for _, name := range names {
				s, err := t.Status(cmd.Context(), name)
				if err != nil {
					return err
				}
				if err := render(a.streams.Out, s, form, time.Now()); err != nil {
					return err
				}
			}
			return nil
		}),
	}
	cmd.Flags().StringVarP(&form, "output", "o", "text", "text or json")
	cmd.Flags().BoolVar(&all, "all", false, "every cluster of this user")
	return cmd
}

// render writes a status for people or for programs.
//
//nolint:errcheck // Flush tells of what could not be written.
func render(out io.Writer, s cluster.Status, form string, now time.Time) error {
	if form == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(s)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	state := s.State
	if s.Why != "" {
		state += ": " + s.Why
	}
	line("Cluster", "%s, %s", s.Name, state)
	if s.State != cluster.Down {
		age := now.Sub(*s.Created).Round(time.Second)
		line("Kubernetes", "%s, %s, since %s", s.Kubernetes, s.Mode, age)
		line("Server", "%s", s.Server)
		line("Kubeconfig", "%s", s.Kubeconfig)
	}
	if s.Nodes != nil {
		line("Nodes", "%d of %d ready", s.Nodes.Ready, s.Nodes.All)
		line("Pods", "%d of %d ready", s.Pods.Ready, s.Pods.All)
	}
	if s.Memory > 0 {
		line("Memory", "%s", size(s.Memory))
	}
	line("Disk", "cluster %s, programs %s, images %s", size(s.Disk.Cluster), size(s.Disk.Programs), size(s.Disk.Images))
	if err := w.Flush(); err != nil || len(s.Components) == 0 {
		return err
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, "COMPONENT\tPID\tMEMORY\tSTATE")
	for _, c := range s.Components {
		pid := "-"
		if c.PID > 0 {
			pid = fmt.Sprint(c.PID)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", c.Name, pid, size(c.Memory), stateOf(c))
	}
	return w.Flush()
}

func stateOf(c cluster.Component) string {
	switch {
	case c.Exit != "":
		return c.Exit
	case c.Ready:
		return "ready"
	case c.PID > 0:
		return "not ready"
	}
	return "waits for others"
}

// size writes bytes for people.
func size(n int64) string {
	const mib, gib = 1 << 20, 1 << 30
	if n >= gib {
		return fmt.Sprintf("%.1f GiB", float64(n)/gib)
	}
	return fmt.Sprintf("%d MiB", (n+mib/2)/mib)
}
