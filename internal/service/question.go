package service

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/schema"
)

// QuestionKind says how a question is asked.
type QuestionKind string

// The kinds of questions: any text, one of several values, where a secret is.
const (
	AskText   QuestionKind = "text"
	AskChoice QuestionKind = "choice"
	AskSecret QuestionKind = "secret"
)

// Question is something that a platform file needs to know.
type Question struct {
	// Key names it among the answers: "name", "targets.app.path", "inputs.url",
	// "backup.store", "windows".
	Key string `json:"key"`
	// Page is the heading below which it is asked, Title what it is about.
	Page  string `json:"page"`
	Title string `json:"title"`
	// Help is one sentence more; it may be empty.
	Help string       `json:"help,omitempty"`
	Kind QuestionKind `json:"kind"`
	// Type is what values are of: "string", "list(int)".
	Type string `json:"type,omitempty"`
	// Options are the values of a choice, Suggestions some of those of a text.
	Options     []Option `json:"options,omitempty"`
	Suggestions []string `json:"suggestions,omitempty"`
	// Default is what counts when nothing is answered.
	Default  string `json:"default,omitempty"`
	Required bool   `json:"required"`
	// Flag is how it is answered on the command line.
	Flag string `json:"flag"`
}

// Option is one value that can be chosen.
type Option struct {
	Value string `json:"value"`
	Text  string `json:"text,omitempty"`
}

// subject names the question in messages: `input "url" of type string`.
func (q *Question) subject() string {
	name, isInput := strings.CutPrefix(q.Key, "inputs.")
	if isInput {
		return fmt.Sprintf("input %q of type %s", name, q.Type)
	}
	if name, ok := strings.CutPrefix(q.Key, "targets."); ok {
		return fmt.Sprintf("target %q", name)
	}
	return q.Key
}

// The pages.
const (
	pagePlatform = "Platform"
	pageTargets  = "Targets: where the parts of the platform are"
	pageInputs   = "Inputs: values of the procedure"
	pageWhen     = "Backups and windows"
)

// Questions returns what is asked, in the order in which it is asked; nil before
// the procedure is chosen.
func (iv *Interview) Questions() []Question {
	if iv.procedure == nil {
		return nil
	}
	doc := iv.procedure.Document
	out := []Question{{
		Key: "name", Page: pagePlatform, Title: "Name of the platform", Kind: AskText, Required: true,
		Flag:        "--name NAME",
		Help:        "Lower case letters, digits and dashes; runs and reports carry it.",
		Suggestions: []string{doc.Metadata.Name.Value + "-prod", doc.Metadata.Name.Value},
	}, {
		Key: "description", Page: pagePlatform, Title: "What it is, in a few words", Kind: AskText,
		Help: "For the reader of plans and reports; may stay empty.", Flag: "--description TEXT",
	}}
	for _, t := range doc.Targets {
		out = append(out, iv.targetQuestions(t.Name, t.Value)...)
	}
	for i := range doc.Inputs {
		in := &doc.Inputs[i]
		out = append(out, inputQuestions(in.Name, &in.Value, in.Value.Required())...)
	}
	return append(out, Question{
		Key: "backup.store", Page: pageWhen, Title: "Where backups go", Kind: AskText, Flag: "--store ADDRESS",
		Help:        "file:///PATH or s3://BUCKET/PREFIX; may stay empty when the procedure names its store itself.",
		Suggestions: []string{"file:///var/backups/" + doc.Metadata.Name.Value, "s3://"},
	}, Question{
		Key: "windows", Page: pageWhen, Title: "Maintenance windows", Kind: AskText, Flag: "--window TEXT",
		Help: "Days or a date, start, duration, zone: Sat,Sun 22:00 4h Europe/Paris. Several are separated by " +
			"semicolons; empty for none.",
		Suggestions: []string{"Sat,Sun 22:00 4h Europe/Paris"},
	})
}

// targetQuestions asks for what the entry of a target holds. Of a kind that does
// not say what that is, all of it is one question.
func (iv *Interview) targetQuestions(name string, t procedure.Target) []Question {
	kind := t.Kind.Value
	about := fmt.Sprintf("Target %s, a %s", name, kind)
	config, ok := iv.s.o.Registry.TargetConfig(kind)
	if !ok {
		return []Question{{
			Key: "targets." + name, Page: pageTargets, Title: about, Kind: AskText, Required: true,
			Help: strings.TrimSpace(t.Description +
				" What this kind needs, as KEY=VALUE, several separated by commas."),
			Flag: "--target " + name + "=KEY=VALUE",
		}}
	}
	var out []Question
	for _, field := range config.FieldNames() {
		f := config.Fields[field]
		q := Question{
			Key: "targets." + name + "." + field, Page: pageTargets, Title: about + ": " + field, Kind: AskText,
			Help: strings.TrimSpace(t.Description + " " + f.Doc), Type: f.Type.String(), Required: f.Required,
			Flag: fmt.Sprintf("--target %s.%s=VALUE", name, field),
		}
		switch {
		case len(f.Type.Enum) > 0:
			q.Kind, q.Options = AskChoice, optionsOf(f.Type.Enum)
		case f.Type.Kind == schema.Secret:
			q.Kind = AskSecret
		case kind == kindKubernetes && field == "context":
			q.Suggestions = iv.contexts()
		}
		out = append(out, q)
	}
	return out
}

func optionsOf(values []string) []Option {
	out := make([]Option, len(values))
	for i, v := range values {
		out[i] = Option{Value: v}
	}
	return out
}

// inputQuestions asks for an input, or for the members of one whose members are
// declared and which has to be given.
func inputQuestions(name string, in *procedure.Input, required bool) []Question {
	if in.Type.Value == string(schema.Object) && len(in.Fields) > 0 && required {
		var out []Question
		for _, member := range in.Fields {
			if member.Value != nil {
				out = append(out, inputQuestions(name+"."+member.Name, member.Value, member.Value.Required())...)
			}
		}
		return out
	}
	t := in.ValueType()
	q := Question{
		Key: "inputs." + name, Page: pageInputs, Title: name, Kind: AskText, Type: t.String(), Help: in.Description,
		Required: required, Flag: fmt.Sprintf("--input %s=VALUE", name),
	}
	if t.Kind == schema.String && len(t.Enum) > 0 {
		q.Type = "string" // The values stand beside it.
	}
	if in.Default != nil {
		q.Default = typed(in.Default.Plain())
	}
	switch {
	case t.Kind == schema.Secret:
		q.Kind = AskSecret
		q.Flag = fmt.Sprintf("--input %s=env:NAME, %s=file:PATH or %s=command:PROGRAM", name, name, name)
	case t.Kind == schema.Bool:
		q.Kind, q.Options = AskChoice, optionsOf([]string{"true", "false"})
	case len(t.Enum) > 0:
		q.Kind, q.Options = AskChoice, optionsOf(t.Enum)
	}
	if q.Kind == AskChoice && !required && q.Default == "" {
		q.Options = append([]Option{{Text: "(leave it out)"}}, q.Options...)
	}
	return []Question{q}
}

// question returns the question with a key.
func (iv *Interview) question(key string) (Question, bool) {
	list := iv.Questions()
	i := slices.IndexFunc(list, func(q Question) bool { return q.Key == key })
	if i < 0 {
		return Question{}, false
	}
	return list[i], true
}
