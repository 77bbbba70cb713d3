package cli

import (
	"bufio"
	"context"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/service"
)

// placeholder stands for a reason in the commands that refit status shows.
const placeholder = "WHY"

// reasonFlag declares --reason.
func reasonFlag(cmd *cobra.Command, reason *string) {
	cmd.Flags().StringVar(reason, "reason", "", "why, as a `TEXT` that is kept in the history")
	complete(cmd, "reason", nothing)
}

// needReason refuses to put something down without a reason.
func needReason(cmd *cobra.Command, reason string) error {
	switch strings.TrimSpace(reason) {
	case "":
		return usagef("%s needs --reason TEXT: it is kept in the history", cmd.CommandPath())
	case placeholder:
		return usagef("--reason %s stands for your own words: say why", placeholder)
	default:
		return nil
	}
}

// atMost is the check of arguments for commands that take a run and things of
// it: low to high arguments.
func atMost(low, high int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < low:
			return usagef("%s needs %s: %s", cmd.CommandPath(), what, strings.TrimSpace(cmd.UseLine()))
		case len(args) > high:
			return usagef("%s takes %s, and nothing behind it: %q is too much", cmd.CommandPath(), what, args[high])
		default:
			return nil
		}
	}
}

// theRun finds the run and what else was named.
func (c *console) theRun(cmd *cobra.Command, args []string, low, high int) (*service.Service, string, []string, error) {
	s, err := c.service()
	if err != nil {
		return nil, "", nil, err
	}
	id, rest, err := s.SplitRun(cmd.Context(), args, low, high)
	if err != nil {
		return nil, "", nil, err
	}
	if len(rest) < low || len(rest) > high {
		return nil, "", nil, usagef("the arguments do not fit run %q: %s", id, strings.TrimSpace(cmd.UseLine()))
	}
	return s, id, rest, nil
}

// day refuses what is not a day.
func day(flag, text string) error {
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		return usagef("--%s %q is not a day: write it as 2026-12-31", flag, text)
	}
	return nil
}

// confirm asks a person on the terminal; anything but yes is a refusal.
func (c *console) confirm(ctx context.Context, question string) error {
	c.progress.clear()
	_, _ = io.WriteString(c.app.Stderr, question+" Type yes to go on: ")
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(c.app.Stdin).ReadString('\n') // The end of the input is no yes.
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case text := <-answer:
		if !strings.EqualFold(text, "yes") {
			return usagef("it was not confirmed: nothing was done")
		}
		return nil
	}
}
