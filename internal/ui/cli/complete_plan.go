package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/service"
)

// platformVersions offers the versions of the platform file, those that can be
// reached first.
func (c *console) platformVersions(
	cmd *cobra.Command, args []string, typed string,
) ([]string, cobra.ShellCompDirective) {
	return behind(func(cmd *cobra.Command, file string) ([]string, cobra.ShellCompDirective) {
		return c.offer(func(s *service.Service) ([]service.Offer, error) {
			return s.OfferVersions(contextOf(cmd), file)
		})
	})(cmd, args, typed)
}

// replanVersions offers the versions of the platform file that --platform names.
func (c *console) replanVersions(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	file, err := cmd.Flags().GetString("platform")
	if err != nil || file == "" {
		file = "platform.yaml"
	}
	return c.platformVersions(cmd, []string{file}, typed)
}

// procedureVersions offers the versions of a procedure; with the flag from only
// those to which a path leads.
func (c *console) procedureVersions(from *string) completer {
	return behind(func(cmd *cobra.Command, ref string) ([]string, cobra.ShellCompDirective) {
		return c.offer(func(s *service.Service) ([]service.Offer, error) {
			return s.OfferProcedureVersions(contextOf(cmd), ref, *from)
		})
	})
}

// procedureNames offers shipped procedures, and files when something like a
// path was typed.
func (c *console) procedureNames(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if strings.ContainsAny(typed, "./") {
		return yamlFiles(cmd, args, typed)
	}
	names, _ := c.offer(func(s *service.Service) ([]service.Offer, error) { return s.OfferProcedures(contextOf(cmd)) })
	if len(names) == 0 {
		return yamlFiles(cmd, args, typed)
	}
	return names, cobra.ShellCompDirectiveDefault
}

// planStages offers the stages of the plan file.
func (c *console) planStages(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	return behind(func(_ *cobra.Command, file string) ([]string, cobra.ShellCompDirective) {
		return c.offer(func(s *service.Service) ([]service.Offer, error) { return s.OfferPlanStages(file) })
	})(cmd, args, typed)
}

// planFindings offers the findings of the plan file that block.
func (c *console) planFindings(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	return behind(func(_ *cobra.Command, file string) ([]string, cobra.ShellCompDirective) {
		return c.offer(func(s *service.Service) ([]service.Offer, error) { return s.OfferFindings(file) })
	})(cmd, args, typed)
}

// channels offers a platform file, and then its channels.
func (c *console) channels(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		return yamlFiles(cmd, args, typed)
	case 1:
		return c.offer(func(s *service.Service) ([]service.Offer, error) { return s.OfferChannels(args[0]) })
	default:
		return nil, noFiles
	}
}

// initAnswers offers the questions of a procedure whose keys begin with prefix.
func (c *console) initAnswers(prefix string) completer {
	return func(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return nil, noFiles
		}
		list, _ := c.offer(func(s *service.Service) ([]service.Offer, error) {
			iv, err := s.Interview(service.InitRequest{File: "platform.yaml", Procedure: args[0], Getenv: c.app.Getenv})
			if err != nil {
				return nil, err
			}
			return answersOf(iv.Questions(), prefix, typed), nil
		})
		return list, toGoOn
	}
}

// answersOf offers names of questions, and behind the sign the values that they
// have.
func answersOf(list []service.Question, prefix, typed string) []service.Offer {
	name, _, hasValue := strings.Cut(typed, "=")
	var out []service.Offer
	for _, q := range list {
		key, ok := strings.CutPrefix(q.Key, prefix)
		switch {
		case !ok:
		case !hasValue:
			out = append(out, service.Offer{Value: key + "=", Text: q.Help})
		case key == name && q.Kind == service.AskSecret:
			out = append(out, service.Offer{Value: key + "=env:", Text: "a variable of the environment"},
				service.Offer{Value: key + "=file:", Text: "a file"},
				service.Offer{Value: key + "=command:", Text: "what a program prints"})
		case key == name:
			for _, o := range q.Options {
				out = append(out, service.Offer{Value: key + "=" + o.Value, Text: o.Text})
			}
			for _, text := range q.Suggestions {
				out = append(out, service.Offer{Value: key + "=" + text})
			}
		}
	}
	return out
}
