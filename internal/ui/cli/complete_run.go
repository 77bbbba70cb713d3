package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/service"
)

// runs offers the runs of which something is wanted, and then up to more names of
// what is wanted of the run: stages and steps, or gates.
func (c *console) runs(want service.Want, more int) completer {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > more {
			return nil, noFiles
		}
		return c.offer(func(s *service.Service) ([]service.Offer, error) {
			return s.Offers(contextOf(cmd), want, args, more)
		})
	}
}

// runsOrFiles offers runs, and files.
func (c *console) runsOrFiles(want service.Want) completer {
	return first(func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		list, _ := c.runs(want, 0)(cmd, args, typed)
		return list, cobra.ShellCompDirectiveDefault
	})
}

// runThenFile offers a run, and then files.
func (c *console) runThenFile(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		return c.runs(service.WantHere, 0)(cmd, args, typed)
	case 1:
		return anyFile(cmd, args, typed)
	default:
		return nil, noFiles
	}
}

// everyRun offers runs for every argument but those that stand there already.
func (c *console) everyRun(want service.Want) completer {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		return c.offer(func(s *service.Service) ([]service.Offer, error) {
			list, err := s.Offers(contextOf(cmd), want, nil, 0)
			var out []service.Offer
			for _, o := range list {
				if !slices.Contains(args, o.Value) {
					out = append(out, o)
				}
			}
			return out, err
		})
	}
}

// runStages offers stages of the run that the arguments name: those that have begun,
// or those that are ahead.
func (c *console) runStages(begun bool) completer {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		return c.offer(func(s *service.Service) ([]service.Offer, error) {
			return s.OfferStages(contextOf(cmd), args, begun)
		})
	}
}

// doneArgs offers gates where a person has to do something, and then the evidence
// that is asked for.
func (c *console) doneArgs(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	named := 0
	for _, a := range args {
		if !strings.Contains(a, "=") {
			named++
		}
	}
	evidence, _ := c.offer(func(s *service.Service) ([]service.Offer, error) {
		return s.OfferEvidence(contextOf(cmd), args)
	})
	const all = 3
	if named < len(args) || named >= all {
		return evidence, toGoOn
	}
	names, directive := c.runs(service.WantPerson, 2)(cmd, args, typed)
	if len(names) == 0 {
		return evidence, toGoOn
	}
	return names, directive
}

// settleArgs offers what is in doubt, and then the verdicts. What can be left out is
// left out by giving the verdict at once.
func (c *console) settleArgs(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	const most = 3
	if len(args) > most || len(args) > 0 && slices.Contains(verdicts(), args[len(args)-1]) {
		return nil, noFiles
	}
	list, _ := c.runs(service.WantDoubt, 2)(cmd, args, typed)
	if len(list) == 0 || len(args) == 0 {
		list = append(list, "done\tit has happened", "redo\tit has not happened, or may safely happen again",
			"notDone\tit has not happened, and counts as failed")
	}
	return list, inOrder
}

// doubts offers what tells operations in doubt apart.
func (c *console) doubts(part string) completer {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		return c.offer(func(s *service.Service) ([]service.Offer, error) {
			return s.OfferDoubts(contextOf(cmd), args, part)
		})
	}
}

// artefacts offers the evidence of the step that the arguments name.
func (c *console) artefacts(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return c.offer(func(s *service.Service) ([]service.Offer, error) {
		return s.OfferArtefacts(contextOf(cmd), args)
	})
}
