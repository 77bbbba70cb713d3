package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Groups of commands in the help.
const (
	groupWrite  = "write"
	groupPlan   = "plan"
	groupRun    = "run"
	groupDecide = "decide"
	groupHelp   = "help"
)

// newRoot returns the command tree. Building it does no work beside.
func newRoot(c *console) *cobra.Command {
	root := &cobra.Command{
		Use:   "refit",
		Short: "Upgrade whole platforms on Kubernetes from a checked, frozen plan",
		Long: `Refit upgrades a platform that runs on Kubernetes: not one chart, the whole of it,
with its databases, volumes, users and helpers.

A procedure says how a kind of platform is upgraded. A platform file says which
platform that is. From both, and from what is true now, refit plan makes a plan:
a frozen list of everything that will be done, which people can read and compare.
refit apply carries it out: every effect is observed and written down, so that a
crash at any moment is harmless and the run can be gone on with.`,
		Example: `  refit lint platform.yaml
  refit plan platform.yaml --to 4.2.0 --save plan.json
  refit check plan.json
  refit apply plan.json
  refit status`,
		Version:       c.app.Build.Version,
		Args:          noSubcommand,
		RunE:          showHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			return c.check()
		},
	}
	root.SetOut(c.app.Stdout)
	root.SetErr(c.app.Stderr)
	root.SetFlagErrorFunc(flagError)
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		if err := c.showHelp(cmd); err != nil {
			c.helpErr = err // cobra's help cannot fail by itself
		}
	})
	root.AddGroup(
		&cobra.Group{ID: groupWrite, Title: "Write procedures and platform files:"},
		&cobra.Group{ID: groupPlan, Title: "Plan:"},
		&cobra.Group{ID: groupRun, Title: "Carry out:"},
		&cobra.Group{ID: groupDecide, Title: "Decide about a run:"},
		&cobra.Group{ID: groupHelp, Title: "Help:"},
	)
	root.SetHelpCommand(newHelp(c))
	root.SetVersionTemplate(strings.ReplaceAll(versionText(c.app.Build), "{{", ""))
	c.addFlags(root)
	root.AddCommand(
		newInit(c), newImport(c), newLint(c), newProcedures(c), newIssues(c), newSchema(c),
		newPlan(c), newCheck(c), newReplan(c),
		newApply(c), newDrive(c), newStatus(c), newWatch(c), newLogs(c), newReport(c), newRuns(c), newBackup(c),
		newGate(c), newApprove(c), newReject(c), newDone(c), newAccept(c), newPause(c), newResume(c), newCancel(c),
		newRetry(c), newSettle(c), newRelease(c), newRollback(c), newAbort(c),
		newDetect(c), newDoctor(c), newNotify(c), newProbe(c), newVersion(c), newCompletion(c), newExitCodes(),
	)
	return root
}

// newExitCodes returns the help topic that explains the exit codes.
func newExitCodes() *cobra.Command {
	return &cobra.Command{Use: "exit-codes", Short: "What the exit codes mean", Long: exitCodeTable()}
}

// showHelp shows the help of a command that does nothing by itself.
func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// subcommands returns the names of the subcommands and help topics of cmd.
func subcommands(cmd *cobra.Command) []string {
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() || sub.IsAdditionalHelpTopicCommand() {
			names = append(names, sub.Name())
		}
	}
	return names
}

// misspelt words it as a misspelt subcommand when there are too many arguments
// and the first one is nearly one.
func misspelt(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		err := check(cmd, args)
		if err != nil && len(args) > 1 && didYouMean(args[0], subcommands(cmd)) != "" {
			return noSubcommand(cmd, args)
		}
		return err
	}
}

// noSubcommand refuses arguments of a command that only has subcommands: they
// are misspelt ones.
func noSubcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := didYouMean(args[0], subcommands(cmd))
	if hint == "" {
		hint = ": see " + cmd.CommandPath() + " --help"
	}
	return usagef("%s has no command %q%s", cmd.CommandPath(), args[0], hint)
}

// flagError words what is wrong with a flag and suggests the nearest one.
func flagError(cmd *cobra.Command, err error) error {
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return invalidValue(invalid)
	}
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return usageError{err: err}
	}
	name := unknown.GetSpecifiedName()
	if unknown.GetSpecifiedShortnames() != "" {
		return usagef("%s has no flag -%s: see %s --help", cmd.CommandPath(), name, cmd.CommandPath())
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	hint := didYouMean(name, names)
	if hint == "" {
		hint = ": see " + cmd.CommandPath() + " --help"
	} else {
		hint = strings.Replace(hint, `"`, `"--`, 1)
	}
	return usagef("%s has no flag --%s%s", cmd.CommandPath(), name, hint)
}

// invalidValue words what is wrong with the value of a flag.
func invalidValue(invalid *pflag.InvalidValueError) error {
	flag := invalid.GetFlag()
	switch flag.Value.(type) {
	case *choice:
		return usagef("--%s %w", flag.Name, invalid.Unwrap())
	default:
		return usagef("--%s %q is not of type %s", flag.Name, invalid.GetValue(), flag.Value.Type())
	}
}

// files is the check of arguments for commands that take at least low and at
// most high of them; high 0 means any number. what names one of them.
func files(low, high int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < low:
			return usagef("%s needs %s: %s", cmd.CommandPath(), what, strings.TrimSpace(cmd.UseLine()))
		case high > 0 && len(args) > high:
			return usagef("%s takes %s, and nothing behind it: %q is too much", cmd.CommandPath(), what, args[high])
		default:
			return nil
		}
	}
}

// none refuses all arguments.
func none(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no arguments: %q is too much", cmd.CommandPath(), args[0])
	}
	return nil
}

// usageTemplate is cobra's, in sentence case, without its second heading for
// flags, and with flags laid out for a width.
func usageTemplate(width int) string {
	flags := fmt.Sprintf("FlagUsagesWrapped %d", width)
	return strings.ReplaceAll(`Usage:{{if .Runnable}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} COMMAND{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}{{$cmds := .Commands}}{{if eq (len .Groups) 0}}

Commands:{{range $cmds}}{{if (or .IsAvailableCommand (eq .Name "help"))}}
  {{rpad .Name .NamePadding }} {{.Short}}{{end}}{{end}}{{else}}{{range $group := .Groups}}

{{.Title}}{{range $cmds}}{{if (and (eq .GroupID $group.ID) (or .IsAvailableCommand (eq .Name "help")))}}
  {{rpad .Name .NamePadding }} {{.Short}}{{end}}{{end}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Flags of all commands:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasHelpSubCommands}}

Topics:{{range .Commands}}{{if .IsAdditionalHelpTopicCommand}}
  {{rpad .CommandPath .CommandPathPadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableSubCommands}}

{{.CommandPath}} COMMAND --help says more about a command.{{end}}
`, "FlagUsages", flags)
}
