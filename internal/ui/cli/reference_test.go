package cli

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/refitproject/refit/internal/service"
)

// referencePage is generated from the command tree.
const referencePage = "../../../docs/reference/cli.md"

// TestDocsReference keeps the reference page as the program's help is. With
// -update it writes the page.
func TestDocsReference(t *testing.T) {
	t.Parallel()
	want := reference(testRoot())
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		if err := os.WriteFile(referencePage, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referencePage)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is stale: run make docs (-want +got):\n%s", referencePage, diff)
	}
}

// TestHelp holds the commands to what every one of them must have.
func TestHelp(t *testing.T) {
	t.Parallel()
	walk(testRoot(), func(cmd *cobra.Command) {
		path := cmd.CommandPath()
		if cmd.Short == "" || cmd.Long == "" || cmd.Example == "" {
			t.Errorf("%s lacks a summary, a description or an example", path)
		}
		if strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: the summary ends with a period", path)
		}
		for line := range strings.Lines(cmd.Long + "\n" + cmd.Example) {
			if len([]rune(strings.TrimRight(line, "\n"))) > 90 {
				t.Errorf("%s: a line of the help is too long: %s", path, line)
			}
		}
		if cmd.Parent() != nil && !cmd.Parent().HasParent() && cmd.GroupID == "" {
			t.Errorf("%s stands in no group of the help", path)
		}
		if cmd.Args == nil || cmd.ValidArgsFunction == nil && !cmd.HasSubCommands() {
			t.Errorf("%s does not check or does not complete its arguments", path)
		}
		cmd.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
			_, completes := cmd.GetFlagCompletionFunc(f.Name)
			if f.Value.Type() != "bool" && !completes {
				t.Errorf("%s: the flag --%s does not complete its values", path, f.Name)
			}
			if f.Usage == "" || strings.HasSuffix(f.Usage, ".") {
				t.Errorf("%s: the text of --%s is empty or ends with a period", path, f.Name)
			}
		})
	})
}

// testRoot returns the command tree over a console that reaches nothing.
func testRoot() *cobra.Command {
	return newRoot(newConsole(&App{
		Stdin: strings.NewReader(""), Interactive: func() bool { return false },
		Interrupts: func(_, _ func()) func() { return func() {} },
		Stdout:     io.Discard, Stderr: io.Discard, Getenv: func(string) string { return "" },
		Terminal:   func(io.Writer) (int, bool) { return 0, false },
		NewService: func(service.Progress) (*service.Service, error) { return nil, io.EOF },
	}))
}

// walk visits the commands that do something, in the order of the help.
func walk(cmd *cobra.Command, visit func(*cobra.Command)) {
	if cmd.Runnable() && cmd.Name() != "help" {
		visit(cmd)
	}
	for _, sub := range cmd.Commands() {
		walk(sub, visit)
	}
}

// reference writes the page.
func reference(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("# The command line\n\n")
	b.WriteString("<!-- Generated from the program's help by `make docs`; do not edit. -->\n\n")
	b.WriteString(root.Long + "\n\n")
	b.WriteString("Results go to the standard output. Errors, diagnostics and progress go to the standard error, so\n" +
		"that a result can be piped on. With `-o json` or `-o yaml` an error is written to the standard output\n" +
		"too, as an object with the members `error` (`message`, `exitCode`) and `diagnostics`, so that a program\n" +
		"finds one document there in any case.\n\n")
	b.WriteString("| command | what it does |\n|---|---|\n")
	walk(root, func(cmd *cobra.Command) {
		if cmd != root {
			fmt.Fprintf(&b, "| [`%s`](#%s) | %s |\n", cmd.CommandPath(), strings.ReplaceAll(cmd.CommandPath(), " ", "-"), cmd.Short)
		}
	})
	b.WriteString("\n## Flags of all commands\n\n")
	writeFlags(&b, root.PersistentFlags())
	walk(root, func(cmd *cobra.Command) {
		if cmd != root {
			section(&b, cmd)
		}
	})
	b.WriteString("## Exit codes\n\n| code | meaning |\n|---|---|\n")
	for code, meaning := range exitCodes() {
		fmt.Fprintf(&b, "| %d | %s |\n", code, meaning)
	}
	return b.String()
}

// section describes one command.
func section(b *strings.Builder, cmd *cobra.Command) {
	fmt.Fprintf(b, "## %s\n\n%s\n\n", cmd.CommandPath(), cmd.Long)
	fmt.Fprintf(b, "```\n%s\n```\n\n", cmd.UseLine())
	writeFlags(b, cmd.NonInheritedFlags())
	b.WriteString("```sh\n")
	for line := range strings.Lines(cmd.Example) {
		b.WriteString(strings.TrimPrefix(line, "  "))
	}
	b.WriteString("\n```\n\n")
}

// writeFlags writes a table of flags, nothing when there are none.
func writeFlags(b *strings.Builder, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	b.WriteString("| flag | value | what it does |\n|---|---|---|\n")
	flags.VisitAll(func(f *pflag.Flag) {
		name := "`--" + f.Name + "`"
		if f.Shorthand != "" {
			name = "`-" + f.Shorthand + "`, " + name
		}
		kind, text := pflag.UnquoteUsage(f)
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "[]" {
			text += "; default " + f.DefValue
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", name, kind, text)
	})
	b.WriteString("\n")
}
