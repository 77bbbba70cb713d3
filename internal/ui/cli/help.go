package cli

import (
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// newHelp returns the command help. Unlike the one of cobra it refuses topics
// that do not exist.
func newHelp(c *console) *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		GroupID: groupHelp,
		Short:   "Help about any command",
		Long:    `Help shows what a command does, its flags and examples.`,
		Example: `  refit help plan show
  refit help exit-codes`,
		Args: func(cmd *cobra.Command, args []string) error {
			_, err := helpTopic(cmd.Root(), args)
			return err
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			topic, err := helpTopic(cmd.Root(), args)
			if err != nil {
				return nil, noFiles
			}
			return described(topic), noFiles
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			topic, err := helpTopic(cmd.Root(), args)
			if err != nil {
				return err
			}
			topic.InitDefaultHelpFlag()
			return c.showHelp(topic)
		},
	}
}

// described offers the subcommands and help topics of cmd with their summaries.
func described(cmd *cobra.Command) []string {
	var out []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() || sub.IsAdditionalHelpTopicCommand() {
			out = append(out, sub.Name()+"\t"+sub.Short)
		}
	}
	return out
}

// helpTopic finds the command that names lead to.
func helpTopic(root *cobra.Command, names []string) (*cobra.Command, error) {
	topic := root
	for _, name := range names {
		i := slices.IndexFunc(topic.Commands(), func(sub *cobra.Command) bool { return sub.Name() == name })
		if i < 0 {
			hint := didYouMean(name, subcommands(topic))
			if hint == "" {
				hint = ": see " + topic.CommandPath() + " --help"
			}
			return nil, usagef("there is no help on %q%s", strings.Join(names, " "), hint)
		}
		topic = topic.Commands()[i]
	}
	return topic, nil
}

// showHelp writes the help of a command, laid out for the width of texts.
func (c *console) showHelp(cmd *cobra.Command) error {
	if err := c.check(); err != nil {
		return err
	}
	width := c.columns(c.app.Stdout)
	cmd.Root().SetUsageTemplate(usageTemplate(width))
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	text = fold(text, width)
	if cmd.Runnable() || cmd.HasSubCommands() {
		text += "\n\n" + cmd.UsageString()
	} else {
		text = strings.TrimRight(text, "\n") + "\n"
	}
	_, err := io.WriteString(c.app.Stdout, text)
	return c.written(err)
}

// fold lays out text for a width: paragraphs are filled anew, and lines that
// are indented are kept apart, with what does not fit indented further.
func fold(text string, width int) string {
	var out []string
	paragraph := ""
	flush := func() {
		if paragraph != "" {
			out = append(out, wrap(paragraph, width, "")...)
			paragraph = ""
		}
	}
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		switch {
		case line == "":
			flush()
			out = append(out, "")
		case strings.HasPrefix(line, " "):
			flush()
			out = append(out, wrap(line, width, "      ")...)
		case paragraph == "":
			paragraph = line
		default:
			paragraph += " " + line
		}
	}
	flush()
	return strings.Join(out, "\n")
}

// wrap breaks one line at spaces; indent goes before what comes behind its
// first line. Words that are too long stay whole.
func wrap(line string, width int, indent string) []string {
	var out []string
	for utf8.RuneCountInString(line) > width {
		runes := []rune(line)
		first := len(runes) - len([]rune(strings.TrimLeft(line, " ")))
		at := width
		for at > first && runes[at] != ' ' {
			at--
		}
		if at <= first {
			// The first word is too long: break behind it.
			rest := strings.IndexByte(string(runes[first:]), ' ')
			if rest < 0 {
				break
			}
			out = append(out, string(runes[:first])+string(runes[first:])[:rest])
			line = indent + strings.TrimLeft(string(runes[first:])[rest:], " ")
			continue
		}
		out = append(out, strings.TrimRight(string(runes[:at]), " "))
		line = indent + strings.TrimLeft(string(runes[at:]), " ")
	}
	return append(out, line)
}
