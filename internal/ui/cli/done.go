package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// newDone returns the command done.
func newDone(c *console) *cobra.Command {
	reason := ""
	cmd := &cobra.Command{
		Use:     "done [RUN] [STAGE [GATE]] [NAME=VALUE...]",
		GroupID: groupDecide,
		Short:   "Say that the work of a person is done",
		Long: `Done tells a run that somebody has done what it waits for: the work of a manual
step, or an upgrade that belongs to other people. Values that the step asks for,
such as a ticket, are given as NAME=VALUE and kept as evidence.`,
		Example: `  refit done
  refit done wiki-prod-1 to-2.4.1 tell ticket=OPS-7`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: c.doneArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			names, evidence, err := splitEvidence(args)
			if err != nil {
				return err
			}
			if err := atMost(0, 3, "a run, a stage and a gate")(cmd, names); err != nil {
				return err
			}
			s, a, err := c.gate(cmd, names, "person")
			if err != nil {
				return err
			}
			return c.asked(s.Done(cmd.Context(), a, evidence, reason))
		},
	}
	reasonFlag(cmd, &reason)
	return cmd
}

// splitEvidence takes NAME=VALUE apart from other arguments, which come first.
func splitEvidence(args []string) (names []string, evidence map[string]string, err error) {
	evidence = map[string]string{}
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		_, twice := evidence[name]
		switch {
		case !ok && len(evidence) == 0:
			names = append(names, arg)
		case !ok:
			return nil, nil, usagef("%q stands behind evidence: write it as NAME=VALUE", arg)
		case value == "" || value == "VALUE":
			return nil, nil, usagef("%q has no value: write what you want to have on record", arg)
		case twice:
			return nil, nil, usagef("%q is given twice", name)
		default:
			evidence[name] = value
		}
	}
	return names, evidence, nil
}
