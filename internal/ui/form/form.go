package form

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/refitproject/refit/internal/service"
)

// ErrInterrupted is returned when the person has left the form, or there is nobody
// to answer any more. The answers are gone.
var ErrInterrupted = errors.New("interrupted")

// Options say where and how a person is asked.
type Options struct {
	In  io.Reader
	Out io.Writer
	// Accessible asks line by line, without moving the cursor.
	Accessible bool
	// Colored permits colours.
	Colored bool
}

// Form is a set of questions that are asked together.
type Form struct {
	Questions []service.Question
	// Answers are those that stand in the fields at first, by key.
	Answers map[string]string
	// Check tells what is wrong with an answer; nil for nothing. It is called by
	// one goroutine at a time.
	Check func(key, text string) error
}

// Ask asks and returns the answers by the keys of the questions.
func Ask(ctx context.Context, o Options, f Form) (map[string]string, error) {
	if len(f.Questions) == 0 {
		return map[string]string{}, nil
	}
	in := &lines{in: o.In, ended: make(chan struct{})}
	fields := make([]*field, len(f.Questions))
	for i := range f.Questions {
		fields[i] = newField(&f.Questions[i], f.Answers[f.Questions[i].Key], o.Accessible, f.Check)
	}
	form := huh.NewForm(groups(fields)...).WithTheme(huh.ThemeFunc(theme)).WithAccessible(o.Accessible).
		WithOutput(o.Out).WithShowHelp(true)
	if o.Accessible {
		if err := askLines(ctx, form.WithInput(in), in); err != nil {
			return nil, err
		}
	} else if err := askForm(ctx, form.WithInput(o.In), o.Colored); err != nil {
		return nil, err
	}
	answers := make(map[string]string, len(fields))
	for _, one := range fields {
		answers[one.question.Key] = one.answer()
	}
	return answers, nil
}

// askForm shows the form on the whole width of the terminal.
func askForm(ctx context.Context, form *huh.Form, colored bool) error {
	options := []tea.ProgramOption{tea.WithoutSignalHandler()} // Signals end ctx.
	if !colored {
		options = append(options, tea.WithColorProfile(colorprofile.ASCII))
	}
	err := form.WithProgramOptions(options...).RunWithContext(ctx)
	switch {
	case errors.Is(err, huh.ErrUserAborted), ctx.Err() != nil:
		return ErrInterrupted
	case err != nil:
		return fmt.Errorf("show the form: %w", err)
	default:
		return nil
	}
}

// askLines asks line by line until all is answered or nobody answers. What is read
// cannot be called off, so an interrupt leaves it behind.
func askLines(ctx context.Context, form *huh.Form, in *lines) error {
	done := make(chan error, 1)
	go func() { done <- form.RunWithContext(ctx) }()
	select {
	case <-ctx.Done():
		return ErrInterrupted
	case <-in.ended:
		return ErrInterrupted
	case err := <-done:
		if in.isEnded() {
			return ErrInterrupted
		}
		if err != nil {
			return fmt.Errorf("ask line by line: %w", err)
		}
		return nil
	}
}

// groups puts the fields of one page together, some at a time so that they fit on
// a screen. Where a secret comes from decides what is asked next, so it stands
// alone.
func groups(fields []*field) []*huh.Group {
	const most = 4
	var out []*huh.Group
	var page string
	var list []huh.Field
	flush := func() {
		if len(list) > 0 {
			out = append(out, huh.NewGroup(list...).Title(page))
			list = nil
		}
	}
	for _, one := range fields {
		if one.question.Page != page || len(list) == most || one.from != nil {
			flush()
		}
		page = one.question.Page
		if one.from == nil {
			list = append(list, one.input)
			continue
		}
		out = append(out, huh.NewGroup(one.from).Title(page),
			huh.NewGroup(one.input).Title(page).WithHideFunc(func() bool { return one.form == "" }))
	}
	flush()
	return out
}

// field is a question as it is asked.
type field struct {
	question *service.Question
	input    huh.Field
	// from asks where a secret comes from; nil for other questions.
	from huh.Field
	// form is where the secret comes from: "env", "file", "command" or nothing.
	form  string
	value string
}

// answer returns what was answered.
func (f *field) answer() string {
	value := strings.TrimSpace(f.value)
	if f.from == nil {
		return value
	}
	if f.form == "" {
		return ""
	}
	return f.form + ":" + value
}

func newField(q *service.Question, given string, accessible bool, check func(key, text string) error) *field {
	f := &field{question: q, value: given}
	if given == "" {
		f.value = q.Default
	}
	title, help := q.Title, q.Help
	if q.Default != "" {
		help = strings.TrimSpace(help + " Default: " + q.Default + ".")
	}
	help = withExample(q, help)
	if accessible { // The line is all that is shown.
		title = strings.TrimSpace(title + ". " + help)
		if f.value != "" && f.value != q.Default {
			title += " [" + f.value + "]"
		}
		title += ":"
	}
	judge := func(text string) error { return check(q.Key, text) }
	switch q.Kind {
	case service.AskChoice:
		f.input = huh.NewSelect[string]().Title(title).Description(help).Options(options(q.Options)...).
			Value(&f.value).Validate(judge)
	case service.AskSecret:
		f.secret(title, help, accessible, check)
	case service.AskText:
		f.input = huh.NewInput().Title(title).Description(help).Suggestions(q.Suggestions).
			Value(&f.value).Validate(judge)
	}
	return f
}

// secret asks where a secret is, and never for the secret itself.
func (f *field) secret(title, help string, accessible bool, check func(key, text string) error) {
	if form, rest, ok := strings.Cut(f.value, ":"); ok {
		f.form, f.value = form, rest
	}
	list := []huh.Option[string]{
		huh.NewOption("an environment variable", "env"), huh.NewOption("a file", "file"),
		huh.NewOption("what a program prints", "command"),
	}
	if !f.question.Required {
		list = append(list, huh.NewOption("leave it out", ""))
	} else if f.form == "" {
		f.form = "env"
	}
	f.from = huh.NewSelect[string]().Title("Where the secret " + strings.TrimSuffix(title, ":") + " comes from").
		Description(help).Options(list...).Value(&f.form)
	input := huh.NewInput().Description("Only this is written down, never the secret.").Value(&f.value).
		Validate(func(text string) error {
			switch {
			case f.form == "":
				return nil
			case strings.TrimSpace(text) == "":
				return errors.New("an answer is needed")
			default:
				return check(f.question.Key, f.form+":"+text)
			}
		})
	if accessible { // The line is made before the answer is known.
		f.input = input.Title("Name of the variable, the file, or the program with its arguments:")
		return
	}
	f.input = input.TitleFunc(func() string { return whereIs(f.form, f.question.Title) }, &f.form)
}

// whereIs asks for the rest of a reference to a secret.
func whereIs(form, title string) string {
	switch form {
	case "file":
		return "File that holds " + title + ", relative to the platform file"
	case "command":
		return "Program that prints " + title + ", with its arguments"
	default:
		return "Name of the variable that holds " + title
	}
}

// withExample adds to the help what an answer may look like. It does not stand in the
// field, where it would look like what Enter takes.
func withExample(q *service.Question, help string) string {
	if q.Kind != service.AskText || len(q.Suggestions) == 0 || q.Suggestions[0] == q.Default ||
		strings.Contains(help, q.Suggestions[0]) {
		return help
	}
	return strings.TrimSpace(help + " For example " + q.Suggestions[0] + ".")
}

func options(list []service.Option) []huh.Option[string] {
	out := make([]huh.Option[string], len(list))
	for i, one := range list {
		label := one.Value
		switch {
		case label == "":
			label = one.Text
		case one.Text != "":
			label += "  " + one.Text
		}
		out[i] = huh.NewOption(label, one.Value)
	}
	return out
}
