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
flags and their values, runs with what they wait for, stages, steps, gates,
versions that can be reached, backups and files, and says what each of them is.
For a completion nothing is started, no secret is read and nothing is changed.

  bash        needs the package bash-completion, which most systems install with
              bash or offer beside it. For this shell only, and for good:
              source <(refit completion bash)
              refit completion bash > ~/.local/share/bash-completion/completions/refit
  zsh         a folder of $fpath, before compinit is called in ~/.zshrc:
              refit completion zsh > "${fpath[1]}/_refit"
  fish        refit completion fish > ~/.config/fish/completions/refit.fish
  powershell  refit completion powershell | Out-String | Invoke-Expression

A new shell knows it then; refit doctor tells whether it is there.`,
		Example: `  source <(refit completion bash)
  refit completion zsh > "${fpath[1]}/_refit"
  refit completion fish > ~/.config/fish/completions/refit.fish`,
		Args:              files(1, 1, "one shell"),
		ValidArgsFunction: first(fixed(noFiles, shell.allowed...)),
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
