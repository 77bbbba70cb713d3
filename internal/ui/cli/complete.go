package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/service"
)

// completer offers values to the shell, each with what it is behind a tab.
type completer = func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective)

const (
	noFiles = cobra.ShellCompDirectiveNoFileComp
	// inOrder keeps the order in which values are offered: the likely ones first.
	inOrder = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	// toGoOn is for values behind which more is typed.
	toGoOn = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveKeepOrder
)

// complete sets the completion of a flag.
func complete(cmd *cobra.Command, flag string, f completer) {
	if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
		// The flag was declared a line before: only a misspelt name gets here,
		// and completion is not worth stopping for.
		return
	}
}

// nothing offers nothing, not even files: for what only a person knows. A test
// lists every place where it stands, with the reason.
func nothing(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, noFiles
}

// anyFile offers files of all kinds.
func anyFile(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

// folders offers folders.
func folders(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// ending offers files with these endings.
func ending(list ...string) completer {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return list, cobra.ShellCompDirectiveFilterFileExt
	}
}

// yamlFiles offers YAML files, planFiles plan files, planOrPlatformFiles both.
func yamlFiles(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	return ending("yaml", "yml")(cmd, args, typed)
}

func planFiles(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	return ending("json")(cmd, args, typed)
}

func planOrPlatformFiles(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	return ending("json", "yaml", "yml")(cmd, args, typed)
}

// fixed offers values that are always the same, as "value\twhat it is".
func fixed(directive cobra.ShellCompDirective, values ...string) completer {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) { return values, directive }
}

// storeForms offers how addresses of backup stores begin, keyForms references to
// keys.
func storeForms() completer {
	return fixed(toGoOn, "file:///\ta folder of this machine", "s3://\ta bucket of an S3 server")
}

func keyForms() completer {
	return fixed(toGoOn, "file:\ta file that holds it", "env:\ta variable of the environment that holds it",
		"{command: [\ta program that prints it")
}

// first uses f for the first argument and offers nothing for the others.
func first(f completer) completer {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, noFiles
		}
		return f(cmd, args, typed)
	}
}

// behind uses f when there is a first argument, which it is given.
func behind(f func(cmd *cobra.Command, argument string) ([]string, cobra.ShellCompDirective)) completer {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return nil, noFiles
		}
		return f(cmd, args[0])
	}
}

// offer returns what the service offers, in its order. Errors are swallowed: a
// shell that completes has no place to show them.
func (c *console) offer(
	values func(s *service.Service) ([]service.Offer, error),
) ([]string, cobra.ShellCompDirective) {
	s, err := c.service()
	if err != nil {
		return nil, noFiles
	}
	list, err := values(s)
	if err != nil {
		return nil, noFiles
	}
	return lined(list), inOrder
}

// lined writes offers as the shell reads them: one line each.
func lined(list []service.Offer) []string {
	out := make([]string, len(list))
	for i, o := range list {
		out[i] = o.Value
		if text := strings.Join(strings.Fields(o.Text), " "); text != "" {
			out[i] += "\t" + text
		}
	}
	return out
}

// contextOf returns the context of a command; completion may come without one.
func contextOf(cmd *cobra.Command) context.Context {
	if ctx := cmd.Context(); ctx != nil {
		return ctx
	}
	return context.Background()
}
