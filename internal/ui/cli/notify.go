package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
)

// newNotify returns the command notify with its subcommand.
func newNotify(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use: "notify", GroupID: groupHelp, Short: "Try the channels over which people are notified",
		Long: `Channels of notifications stand in the platform file. What a run has told over them,
and what it could not, is shown by refit status.`,
		Example: `  refit notify test platform.yaml`,
		Args:    noSubcommand, RunE: showHelp,
	}
	cmd.AddCommand(newNotifyTest(c))
	return cmd
}

// notifyTest is what trying channels came to.
type notifyTest struct {
	Channels []service.ChannelResult `json:"channels"`
}

func newNotifyTest(c *console) *cobra.Command {
	return &cobra.Command{
		Use:   "test PLATFORM.yaml [CHANNEL]",
		Short: "Send a message over the channels of a platform file",
		Long: `Test sends a message over each channel of notifications of a platform file, or over
the one that is named, and says which arrived. The message says that it is a test.
Nothing else is done. The exit code is 1 when a channel could not be reached.`,
		Example: `  refit notify test platform.yaml
  refit notify test platform.yaml ops`,
		Args:              files(1, 2, "a platform file and, if only one is meant, a channel"),
		ValidArgsFunction: c.channels,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := c.service()
			if err != nil {
				return err
			}
			name := ""
			if len(args) > 1 {
				name = args[1]
			}
			list, err := s.TestChannels(cmd.Context(), args[0], name)
			if err != nil {
				return err
			}
			err = c.show(notifyTest{Channels: list}, func(w io.Writer, opts report.TextOptions) error {
				return notifyTestText(w, list, opts)
			})
			for i := range list {
				if err == nil && list[i].Trouble != "" {
					return outcome{code: ExitError}
				}
			}
			return err
		},
	}
}

// notifyTestText writes one line for each channel.
func notifyTestText(w io.Writer, list []service.ChannelResult, opts report.TextOptions) error {
	for i := range list {
		r := &list[i]
		text := opts.Style.Paint(report.Good, "delivered")
		if r.Trouble != "" {
			text = opts.Style.Paint(report.Danger, "failed") + ": " + oneLine(r.Trouble)
		}
		if _, err := fmt.Fprintf(w, "%s (%s)  %s\n", r.Channel, r.Kind, text); err != nil {
			return err
		}
	}
	return nil
}
