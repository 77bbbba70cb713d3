// Package cli is the command line of refit-testbed.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/test/cluster/internal/cluster"
	"github.com/refitproject/refit/test/cluster/internal/component"
	"github.com/refitproject/refit/test/cluster/internal/keeper"
	"github.com/refitproject/refit/test/cluster/internal/place"
)

// Streams are where input comes from and output goes to.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// app is what commands share.
type app struct {
	streams Streams
	getenv  func(string) string
	name    string
	source  string
}

// Run carries out a command line and returns the exit code: 0, or 1 with one
// line on Err. KUBECONFIG is never read: other clusters are not our business.
func Run(ctx context.Context, args []string, s Streams, getenv func(string) string) int {
	a := &app{streams: s, getenv: getenv}
	root := &cobra.Command{
		Use:   "refit-testbed",
		Short: "A real Kubernetes of one node on this machine, for tests, demos and rehearsals.",
		Args:  cobra.NoArgs, SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetArgs(args)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	root.PersistentFlags().StringVar(&a.name, "name", "default", "name of the cluster; several can be up at once")
	root.PersistentFlags().StringVar(&a.source, "source", "",
		"folder test/cluster of a checkout (default: found from the program or the current folder)")
	//nolint:contextcheck // Each command gets the context of the root.
	root.AddCommand(a.up(), a.down(), a.status(), a.kubeconfig(), a.logs(), a.images(), a.build(), a.keeper())
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if ctx.Err() != nil {
		err = errors.New("stopped: the next up or down cleans up")
	}
	line := strings.Join(strings.Fields(err.Error()), " ")
	_, _ = fmt.Fprintln(s.Err, "refit-testbed:", line) // Nobody could be told.
	return 1
}

// testbed finds the folders and the source.
func (a *app) testbed() (cluster.Testbed, error) {
	roots, err := place.Load(a.getenv)
	if err != nil {
		return cluster.Testbed{}, err
	}
	self, err := os.Executable()
	if err != nil {
		return cluster.Testbed{}, fmt.Errorf("find this program: %w", err)
	}
	t := cluster.Testbed{Roots: roots, Self: self, Source: a.source, Say: func(format string, args ...any) {
		_, _ = fmt.Fprintf(a.streams.Err, format+"\n", args...) // The work counts.
	}}
	if t.Source == "" {
		t.Source = findSource(filepath.Dir(self))
	}
	return t, nil
}

// findSource looks for test/cluster in the folders above one, and above the
// current one.
func findSource(from string) string {
	starts := []string{from}
	if dir, err := os.Getwd(); err == nil {
		starts = append(starts, dir)
	}
	for _, dir := range starts {
		for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			for _, below := range []string{"", "test/cluster"} {
				source := filepath.Join(dir, below)
				if _, err := os.Stat(filepath.Join(source, "build", "kubernetes", "go.mod")); err == nil {
					return source
				}
			}
		}
	}
	return "test/cluster"
}

// with makes the body of a command that needs the testbed.
func (a *app) with(
	body func(cmd *cobra.Command, t cluster.Testbed, args []string) error,
) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		t, err := a.testbed()
		if err != nil {
			return err
		}
		return body(cmd, t, args)
	}
}

func (a *app) up() *cobra.Command {
	w := cluster.Wish{}
	mode, stay := "", false
	cmd := &cobra.Command{
		Use: "up", Short: "Bring the cluster up, building what is missing; heal what is left of an earlier one.",
		Args: cobra.NoArgs,
		RunE: a.with(func(cmd *cobra.Command, t cluster.Testbed, _ []string) error {
			w.Name, w.Mode, w.Install = a.name, component.Mode(mode), !stay
			if !slices.Contains([]component.Mode{component.Containers, component.Kwok}, w.Mode) {
				return fmt.Errorf("--mode %q: one of containers, kwok", mode)
			}
			if w.Nodes < 1 || w.Nodes > 5000 {
				return fmt.Errorf("--nodes %d: between 1 and 5000", w.Nodes)
			}
			if cmd.Flags().Changed("nodes") && w.Mode != component.Kwok {
				return errors.New("--nodes: a cluster with containers has one node: add --mode kwok")
			}
			if w.Port < 0 || w.Port > 65535 {
				return fmt.Errorf("--api-port %d: between 1 and 65535", w.Port)
			}
			return t.Up(cmd.Context(), w)
		}),
	}
	cmd.Flags().StringVar(&mode, "mode", string(component.Containers),
		"containers: real pods, needs root; kwok: pods that only seem to run, needs none")
	cmd.Flags().StringVar(&w.Kubernetes, "kubernetes-version", "", "version of Kubernetes, of those that can be built")
	cmd.Flags().IntVar(&w.Nodes, "nodes", 1, "nodes that kwok plays")
	cmd.Flags().IntVar(&w.Port, "api-port", 0,
		"port of the API server (default 6443 with containers, else any that is free)")
	cmd.Flags().BoolVar(&stay, "no-install", false, "do not install missing packages, say which they are")
	return cmd
}

func (a *app) down() *cobra.Command {
	all := false
	cmd := &cobra.Command{
		Use: "down", Short: "Take the cluster down and leave nothing of it.", Args: cobra.NoArgs,
		RunE: a.with(func(cmd *cobra.Command, t cluster.Testbed, _ []string) error {
			names := []string{a.name}
			if all {
				var err error
				if names, err = t.Names(); err != nil {
					return err
				}
			}
			for _, name := range names {
				if err := t.Down(cmd.Context(), name); err != nil {
					return err
				}
			}
			return nil
		}),
	}
	cmd.Flags().BoolVar(&all, "all", false, "every cluster of this user")
	return cmd
}

func (a *app) kubeconfig() *cobra.Command {
	content := false
	cmd := &cobra.Command{
		Use: "kubeconfig", Short: "Print the file with which the cluster is reached.", Args: cobra.NoArgs,
		RunE: a.with(func(_ *cobra.Command, t cluster.Testbed, _ []string) error {
			file, err := t.Kubeconfig(a.name)
			if err != nil {
				return err
			}
			if !content {
				_, err = fmt.Fprintln(a.streams.Out, file)
				return err
			}
			text, err := os.ReadFile(file)
			if err != nil {
				return fmt.Errorf("read a kubeconfig: %w", err)
			}
			_, err = a.streams.Out.Write(text)
			return err
		}),
	}
	cmd.Flags().BoolVar(&content, "content", false, "print what is in it; it holds a key")
	return cmd
}

func (a *app) images() *cobra.Command {
	cmd := &cobra.Command{Use: "images", Short: "Images without a registry.", Args: cobra.NoArgs}
	cmd.AddCommand(&cobra.Command{
		Use: "ls", Short: "List the images that the cluster has.", Args: cobra.NoArgs,
		RunE: a.with(func(cmd *cobra.Command, t cluster.Testbed, _ []string) error {
			names, err := t.Images(cmd.Context(), a.name)
			if err != nil || len(names) == 0 {
				return err
			}
			_, err = fmt.Fprintln(a.streams.Out, strings.Join(names, "\n"))
			return err
		}),
	}, &cobra.Command{
		Use: "load NAME|FILE…", Short: "Make images of recipes and load them, or archives of docker or OCI.",
		Args: cobra.MinimumNArgs(1),
		RunE: a.with(func(cmd *cobra.Command, t cluster.Testbed, args []string) error {
			return t.Load(cmd.Context(), a.name, args)
		}),
	}, &cobra.Command{
		Use: "save NAME FILE", Args: cobra.ExactArgs(2),
		Short: "Make the image of a recipe and write it as an archive of docker, for another cluster.",
		RunE: a.with(func(cmd *cobra.Command, t cluster.Testbed, args []string) error {
			return t.Save(cmd.Context(), args[0], args[1])
		}),
	})
	return cmd
}

func (a *app) build() *cobra.Command {
	version := ""
	cmd := &cobra.Command{
		Use: "build [NAME]", Short: "Build programs and images into the cache, without starting anything.",
		Args: cobra.MaximumNArgs(1),
		RunE: a.with(func(cmd *cobra.Command, t cluster.Testbed, args []string) error {
			return t.Build(cmd.Context(), strings.Join(args, ""), version)
		}),
	}
	cmd.Flags().StringVar(&version, "kubernetes-version", "", "version of Kubernetes, of those that can be built")
	return cmd
}

// keeper is not for people: it is what `up` leaves running.
func (a *app) keeper() *cobra.Command {
	return &cobra.Command{
		Use: keeper.Command + " PLAN", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return keeper.Run(args[0], a.streams.In) },
	}
}
