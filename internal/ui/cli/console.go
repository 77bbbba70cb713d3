package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
	"github.com/refitproject/refit/internal/ui/form"
	"github.com/refitproject/refit/internal/ui/tui"
)

// Output formats.
const (
	formatText    = "text"
	formatJSON    = "json"
	formatYAML    = "yaml"
	formatMermaid = "mermaid"
)

// formatTexts say what the output formats are for, in the order in which they are
// listed.
func formatTexts() []string {
	return []string{"for people", "for programs", "for programs", "a drawing for Markdown pages"}
}

// maxWidth is the widest text that is laid out.
const maxWidth = 500

// console is one use of the command line: the flags that all commands share,
// and how results, errors and progress reach people.
type console struct {
	app      *App
	output   choice
	color    choice
	width    int
	verbose  bool
	service  func() (*service.Service, error)
	progress *progress
	// asker asks a person at the terminal; tests put answers in its place.
	asker func(context.Context, form.Options, form.Form) (map[string]string, error)
	// helpErr is why help could not be shown; cobra has no other way for it.
	helpErr error
	// used is the service, once it was made.
	used *service.Service
	// done is set when a result was written to the standard output.
	done bool
	// lines is set when results are written one on a line.
	lines bool
	// shown is how a run is shown while it goes on.
	shown choice
	// feed takes what is said to people while a run is shown live; else nil.
	feed *tui.Feed
}

// newConsole returns a console with the default flags.
func newConsole(app *App) *console {
	c := &console{
		app:   app,
		asker: form.Ask,
		output: choice{
			value: formatText, allowed: []string{formatText, formatJSON, formatYAML}, texts: formatTexts(),
		},
		color: choice{
			value: "auto", allowed: []string{"auto", "always", "never"},
			texts: []string{"on a terminal, unless NO_COLOR is set", "also in files", "nowhere"},
		},
	}
	c.service = sync.OnceValues(func() (*service.Service, error) {
		c.progress = newProgress(c)
		s, err := app.NewService(c.progress.note)
		c.used = s
		return s, err
	})
	return c
}

// addFlags declares the flags that all commands share.
func (c *console) addFlags(root *cobra.Command) {
	flags := root.PersistentFlags()
	flags.VarP(&c.output, "output", "o", "`FORMAT` of the result: text, json or yaml")
	flags.Var(&c.color, "color", "`WHEN` to use colours: auto (on a terminal, unless NO_COLOR is set), always or never")
	flags.IntVar(&c.width, "width", 0, "`COLUMNS` of texts (default: those of the terminal, else 80)")
	flags.BoolVarP(&c.verbose, "verbose", "v", false, "print what is being done to the standard error")
	complete(root, "output", c.output.complete)
	complete(root, "color", c.color.complete)
	complete(root, "width", nothing)
}

// check refuses values of the shared flags that parse but make no sense.
func (c *console) check() error {
	if c.width != 0 && (c.width < 40 || c.width > maxWidth) {
		return usagef("--width %d is out of range: give 40 to %d", c.width, maxWidth)
	}
	return nil
}

// textOptions says how texts are laid out on w.
func (c *console) textOptions(w io.Writer) report.TextOptions {
	opts := report.TextOptions{Width: c.columns(w), Style: report.Plain{}}
	if c.colored(w) {
		opts.Style = ansiStyle{}
	}
	_, terminal := c.app.Terminal(w)
	opts.ASCII = terminal && !c.manySigns()
	return opts
}

// manySigns tells whether the terminal shows more than ASCII, by the locale: by the
// first of these variables that is set, as POSIX has it. Without any nothing is known,
// and terminals of today do.
func (c *console) manySigns() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToLower(c.app.Getenv(name)); locale != "" {
			return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
		}
	}
	return true
}

// columns returns the width of texts on w.
func (c *console) columns(w io.Writer) int {
	if c.width > 0 {
		return c.width
	}
	if n, ok := c.app.Terminal(w); ok && n > 0 {
		return min(n, maxWidth)
	}
	if n, err := strconv.Atoi(c.app.Getenv("COLUMNS")); err == nil && n >= 40 && n <= maxWidth {
		return n
	}
	return 80
}

// colored tells whether text on w is coloured: --color decides, then NO_COLOR
// (https://no-color.org), then whether w is a terminal that is not dumb.
func (c *console) colored(w io.Writer) bool {
	switch c.color.value {
	case "always":
		return true
	case "never":
		return false
	default:
		_, terminal := c.app.Terminal(w)
		return terminal && c.app.Getenv("NO_COLOR") == "" && c.app.Getenv("TERM") != "dumb"
	}
}

// show writes a result: value for programs, text for people.
func (c *console) show(value any, text func(w io.Writer, opts report.TextOptions) error) error {
	c.progress.clear()
	var err error
	switch c.output.value {
	case formatJSON:
		err = writeJSON(c.app.Stdout, value)
	case formatYAML:
		err = writeYAML(c.app.Stdout, value)
	default:
		err = text(c.app.Stdout, c.textOptions(c.app.Stdout))
	}
	return c.written(err)
}

// shareOutput makes the output flag of cmd, which permits more formats, the one
// that the console reads.
func (c *console) shareOutput(cmd *cobra.Command, output *choice) {
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c.output.value = output.value
		return run(cmd, args)
	}
}

// written notes that a result was written, err telling how that went.
func (c *console) written(err error) error {
	if err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	c.done = true
	return nil
}

// sayf writes one line for people to the standard error.
func (c *console) sayf(format string, args ...any) {
	if c.feed != nil {
		c.feed.Say(fmt.Sprintf(format, args...))
		return
	}
	c.progress.clear()
	_, _ = fmt.Fprintf(c.app.Stderr, format+"\n", args...) // nobody to tell when this fails
}

// diagnostics writes diagnostics for people to the standard error, one line
// each and their number at the end.
func (c *console) diagnostics(ds diag.Diagnostics) {
	if len(ds) == 0 {
		return
	}
	c.progress.clear()
	_ = writeDiagnostics(c.app.Stderr, c.textOptions(c.app.Stderr).Style, ds) // nobody to tell when this fails
}

// finish tells people and programs about err and returns the exit code.
func (c *console) finish(ctx context.Context, err error) ExitCode {
	c.progress.clear()
	code := exitCodeOf(err)
	var ended outcome
	if err == nil || errors.As(err, &ended) {
		return code
	}
	if ctx.Err() != nil {
		err, code = errors.New("interrupted"), ExitError
	}
	var ds diag.Diagnostics
	if errors.As(err, &ds) {
		c.diagnostics(ds)
	} else {
		style := c.textOptions(c.app.Stderr).Style
		c.sayf("%s %s", style.Paint(report.Danger, "refit:"), oneLine(err.Error()))
	}
	if !c.done {
		c.showError(err, code, ds)
	}
	return code
}

// failure is an error for programs.
type failure struct {
	Error       failureDetail    `json:"error"`
	Diagnostics diag.Diagnostics `json:"diagnostics"`
}

// failureDetail says what ended the command.
type failureDetail struct {
	Message  string   `json:"message"`
	ExitCode ExitCode `json:"exitCode"`
}

// showError writes err as the result when the result is for programs.
func (c *console) showError(err error, code ExitCode, ds diag.Diagnostics) {
	f := failure{Error: failureDetail{Message: oneLine(err.Error()), ExitCode: code}, Diagnostics: ds}
	if ds != nil {
		f.Error.Message = countDiagnostics(ds)
	} else {
		f.Diagnostics = diag.Diagnostics{}
	}
	switch c.output.value {
	case formatJSON:
		_ = writeJSON(c.app.Stdout, f) // the message is on the standard error already
	case formatYAML:
		_ = writeYAML(c.app.Stdout, f) // the message is on the standard error already
	default:
	}
}
