package cli

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/refitproject/refit/internal/service"
)

// TestHelpFits shows the help of every command on a narrow terminal: but for
// examples, lists of commands and single words no line is longer.
func TestHelpFits(t *testing.T) {
	t.Parallel()
	walk(testRoot(), func(cmd *cobra.Command) {
		var out bytes.Buffer
		app := &App{
			Stdout: &out, Stderr: io.Discard, Getenv: func(string) string { return "" },
			Terminal:   func(io.Writer) (int, bool) { return 0, false },
			NewService: func(service.Progress) (*service.Service, error) { return nil, io.EOF },
		}
		const width = 60
		args := append(strings.Fields(cmd.CommandPath())[1:], "--help", "--width", "60")
		if code := app.Run(t.Context(), args); code != ExitDone {
			t.Fatalf("%v ended with %d", args, code)
		}
		text, flags, _ := strings.Cut(out.String(), "Usage:")
		_, flags, _ = strings.Cut(flags, "Flags:")
		flags, _, _ = strings.Cut(flags, "Topics:")
		for line := range strings.Lines(text + flags) {
			if utf8.RuneCountInString(strings.TrimRight(line, "\n")) > width && !strings.Contains(line, "COMMAND --help") {
				t.Errorf("%v: a line is too long: %q", args, line)
			}
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(out.String(), "--"+f.Name) {
				t.Errorf("%v does not show --%s", args, f.Name)
			}
		})
	})
}

func TestFold(t *testing.T) {
	t.Parallel()
	got := fold("One two three\nfour.\n\n   1  alpha beta gamma\nunbreakablewords and\n", 12)
	want := "One two\nthree four.\n\n   1  alpha\n      beta\n      gamma\nunbreakablewords\nand"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
