package cli

import (
	"github.com/spf13/cobra"
)

// newCompletion returns the command completion.
func newCompletion(c *console) *cobra.Command {
	shell := choice{allowed: []string{"bash", "fish", "powershell", "zsh"}}
	return &cobra.Command{
		Use:     "completion bash|fish|powershell|zsh",
		GroupID: groupHelp,
		Short:   "Print a script that completes commands in a shell",
		Long: `Completion prints a script for a shell. With it the shell completes commands,
flags and their values, versions, stages and files. The script for bash needs the
package bash-completion, which most systems install with bash or offer beside it.`,
		Example: `  source <(refit completion bash)
  refit completion zsh > "${fpath[1]}/_refit"
  refit completion fish > ~/.config/fish/completions/refit.fish`,
		Args: files(1, 1, "one shell"),
		ValidArgsFunction: first(func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return shell.allowed, cobra.ShellCompDirectiveNoFileComp
		}),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := shell.Set(args[0]); err != nil {
				return usagef("shell %w", err)
			}
			root, out := cmd.Root(), c.app.Stdout
			switch shell.value {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "fish":
				return root.GenFishCompletion(out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(out)
			default:
				return root.GenZshCompletion(out)
			}
		},
	}
}
