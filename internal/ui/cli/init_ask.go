package cli

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/service"
	"github.com/refitproject/refit/internal/ui/form"
)

// errLeft is returned when the person has left the questions.
var errLeft = errors.New("interrupted")

// ask puts questions to the person at the terminal.
func (c *console) ask(ctx context.Context, f form.Form) (map[string]string, error) {
	c.progress.clear()
	_, set := c.app.Terminal(c.app.Stderr)
	answers, err := c.asker(ctx, form.Options{
		In: c.app.Stdin, Out: c.app.Stderr, Colored: c.colored(c.app.Stderr),
		Accessible: !set || c.app.Getenv("TERM") == "dumb" || c.app.Getenv("ACCESSIBLE") != "",
	}, f)
	if errors.Is(err, form.ErrInterrupted) {
		return nil, errLeft
	}
	return answers, err
}

// askAll asks for everything that a platform file needs and was not given, and
// again for what is wrong, until nothing is.
func (c *console) askAll(ctx context.Context, iv *service.Interview, replace *bool) error {
	if err := c.askReplace(ctx, iv, replace); err != nil {
		return err
	}
	if err := iv.MayWrite(*replace); err != nil {
		return err
	}
	if err := c.askProcedure(ctx, iv); err != nil {
		return err
	}
	ask := func(q service.Question) bool { return iv.Answer(q.Key) == "" }
	for {
		if err := c.askThose(ctx, iv, ask); err != nil {
			return err
		}
		wrong, err := iv.Wrong()
		if err != nil {
			return err
		}
		if len(wrong[""]) > 0 || len(wrong) == 0 {
			return iv.Missing()
		}
		for _, q := range iv.Questions() {
			for _, text := range wrong[q.Key] {
				c.sayf("%s: %s", q.Title, text)
			}
		}
		ask = func(q service.Question) bool { return len(wrong[q.Key]) > 0 }
	}
}

// askThose asks some of the questions and takes the answers.
func (c *console) askThose(ctx context.Context, iv *service.Interview, ask func(service.Question) bool) error {
	answers := map[string]string{}
	var list []service.Question
	for _, q := range iv.Questions() {
		answers[q.Key] = iv.Answer(q.Key)
		if ask(q) {
			list = append(list, q)
		}
	}
	got, err := c.ask(ctx, form.Form{Questions: list, Answers: answers, Check: iv.Check})
	if err != nil {
		return err
	}
	for key, text := range got {
		iv.Set(key, text)
	}
	return nil
}

// askReplace asks whether a file that is there may be replaced.
func (c *console) askReplace(ctx context.Context, iv *service.Interview, replace *bool) error {
	if *replace || !iv.Exists() {
		return nil
	}
	q := service.Question{
		Key: "replace", Page: "There is a file already", Title: "Replace " + iv.File(), Kind: service.AskChoice,
		Options: []service.Option{
			{Value: "no", Text: "keep it and end"}, {Value: "yes", Text: "write a new one in its place"},
		},
		Default: "no", Required: true,
	}
	answers, err := c.ask(ctx, form.Form{Questions: []service.Question{q}, Check: anything})
	if err != nil {
		return err
	}
	if *replace = answers["replace"] == "yes"; !*replace {
		return errLeft
	}
	return nil
}

// askProcedure asks for the procedure until there is one that loads.
func (c *console) askProcedure(ctx context.Context, iv *service.Interview) error {
	if iv.Chosen() {
		return nil
	}
	list, err := iv.Procedures()
	if err != nil {
		return err
	}
	const other = "other"
	choice := service.Question{
		Key: "procedure", Page: "Procedure", Title: "Which kind of platform is it", Kind: service.AskChoice,
		Required: true,
		Help:     "A procedure says how a kind of platform is upgraded.",
		Options:  append(slices.Clone(list), service.Option{Value: other, Text: "a file elsewhere"}),
	}
	name := service.Question{
		Key: "procedure", Page: "Procedure", Title: "File of the procedure", Kind: service.AskText, Required: true,
		Suggestions: []string{"./procedure.yaml"},
	}
	loads := func(_, text string) error {
		if text == other {
			return nil
		}
		return oneLineError(iv.Choose(strings.TrimSpace(text)))
	}
	if len(list) > 0 {
		answers, err := c.ask(ctx, form.Form{Questions: []service.Question{choice}, Check: loads})
		if err != nil {
			return err
		}
		if answers["procedure"] != other {
			return iv.Choose(answers["procedure"])
		}
	}
	answers, err := c.ask(ctx, form.Form{Questions: []service.Question{name}, Check: loads})
	if err != nil {
		return err
	}
	return iv.Choose(answers["procedure"])
}

func anything(string, string) error { return nil }

// oneLineError shortens an error of several lines to its first.
func oneLineError(err error) error {
	if err == nil {
		return nil
	}
	first, _, more := strings.Cut(err.Error(), "\n")
	if more {
		first += " (and more: see refit lint)"
	}
	return errors.New(first)
}
