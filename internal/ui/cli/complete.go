package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/service"
)

// completer offers values to the shell.
type completer = func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective)

// complete sets the completion of a flag.
func complete(cmd *cobra.Command, flag string, f completer) {
	if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
		// The flag was declared a line before: only a misspelt name gets here,
		// and completion is not worth stopping for.
		return
	}
}

// yamlFiles offers YAML files.
func yamlFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

// planFiles offers plan files.
func planFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"json"}, cobra.ShellCompDirectiveFilterFileExt
}

// planOrPlatformFiles offers plan files and platform files.
func planOrPlatformFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"json", "yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

// first uses f for the first argument and offers nothing for the others.
func first(f completer) completer {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return f(cmd, args, typed)
	}
}

// platformVersions offers the versions that the procedure of the platform file
// knows. Nothing is observed.
func (c *console) platformVersions(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return c.offer(func(s *service.Service) ([]string, error) {
		return s.PlatformVersions(contextOf(cmd), args[0])
	})
}

// procedureVersions offers the versions that a procedure knows.
func (c *console) procedureVersions(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return c.offer(func(s *service.Service) ([]string, error) {
		return s.Versions(contextOf(cmd), args[0])
	})
}

// procedureNames offers shipped procedures, and files when something like a
// path was typed.
func (c *console) procedureNames(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	if strings.ContainsAny(typed, "./") {
		return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
	}
	names, _ := c.offer(func(s *service.Service) ([]string, error) {
		return s.ProcedureNames()
	})
	if len(names) == 0 {
		return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
	}
	return names, cobra.ShellCompDirectiveDefault
}

// planStages offers the stages of the plan file.
func (c *console) planStages(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return c.offer(func(s *service.Service) ([]string, error) {
		return s.PlanStages(args[0])
	})
}

// offer returns values in their own order. Errors are swallowed: a shell that
// completes has no place to show them.
func (c *console) offer(
	values func(s *service.Service) ([]string, error),
) ([]string, cobra.ShellCompDirective) {
	s, err := c.service()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	list, err := values(s)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return list, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// contextOf returns the context of a command; completion may come without one.
func contextOf(cmd *cobra.Command) context.Context {
	if ctx := cmd.Context(); ctx != nil {
		return ctx
	}
	return context.Background()
}

// storeForms offers how addresses of backup stores begin.
func storeForms(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"file:///\ta folder of this machine", "s3://\ta bucket of an S3 server"},
		cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// initAnswers offers the questions of a procedure whose keys begin with prefix.
func (c *console) initAnswers(prefix string) completer {
	return func(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		s, err := c.service()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		iv, err := s.Interview(service.InitRequest{File: "platform.yaml", Procedure: args[0], Getenv: c.app.Getenv})
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return answersOf(iv.Questions(), prefix, typed)
	}
}

// answersOf offers names of questions, and behind the sign the values that they
// have.
func answersOf(list []service.Question, prefix, typed string) ([]string, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	name, _, hasValue := strings.Cut(typed, "=")
	var out []string
	for _, q := range list {
		key, ok := strings.CutPrefix(q.Key, prefix)
		switch {
		case !ok:
		case !hasValue:
			out = append(out, key+"=\t"+strings.Join(strings.Fields(q.Help), " "))
		case key == name && q.Kind == service.AskSecret:
			out = append(out, key+"=env:\ta variable of the environment", key+"=file:\ta file",
				key+"=command:\twhat a program prints")
		case key == name:
			for _, o := range q.Options {
				out = append(out, key+"="+o.Value)
			}
			for _, text := range q.Suggestions {
				out = append(out, key+"="+text)
			}
		}
	}
	return out, directive
}
