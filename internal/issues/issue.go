package issues

import (
	"fmt"

	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/yamldoc"
)

// Issue is one known issue as a plan holds it: plain values, so that a run goes
// on recognising it when the file has changed or is gone.
type Issue struct {
	ID          string `json:"id"`
	Explanation string `json:"explanation"`
	// Text, Pattern and State are what it is recognised by; the empty ones do not
	// count.
	Text    string   `json:"text,omitempty"`
	Pattern string   `json:"pattern,omitempty"`
	State   string   `json:"state,omitempty"`
	Reasons []string `json:"reasons,omitempty"`
	// Actions and Phases are those of the steps that it can befall; nil for all.
	Actions []string `json:"actions,omitempty"`
	Phases  []string `json:"phases,omitempty"`
	// Benign is the condition under which it does no harm; empty for never.
	Benign string `json:"benign,omitempty"`
	// Remedy is what a person does about it.
	Remedy string `json:"remedy,omitempty"`
	// Planned tells that Refit takes a remedy by itself.
	Planned bool   `json:"planned,omitempty"`
	Source  Source `json:"source,omitzero"`
}

// Source is where an issue is described.
type Source struct {
	URL  string `json:"url,omitempty"`
	Note string `json:"note,omitempty"`
}

// String joins note and address.
func (s Source) String() string {
	switch {
	case s.Note == "":
		return s.URL
	case s.URL == "":
		return s.Note
	}
	return s.Note + ": " + s.URL
}

// known is an Issue that is ready to be matched.
type known struct {
	Issue
	// text is the exact text, folded.
	text          string
	pattern       *pattern
	state, benign *expr.Template
}

// Set is a list of known issues in the order of their file.
type Set struct {
	list []*known
	// doc is what they were read from; nil for those of a plan.
	doc *Document
}

// Build makes a Set of the issues that a plan holds. The error names one that
// cannot be understood, which only a plan of another release can hold.
func Build(list []Issue) (*Set, error) {
	env, err := newEnv(anyFacts(), anyFacts())
	if err != nil {
		return nil, err
	}
	s := &Set{}
	for i := range list {
		k := &known{Issue: list[i], text: fold(list[i].Text)}
		if k.Pattern != "" {
			if k.pattern, err = compilePattern(k.Pattern); err != nil {
				return nil, fmt.Errorf("known issue %q: %w", k.ID, err)
			}
		}
		for _, c := range []struct {
			text string
			to   **expr.Template
		}{{k.State, &k.state}, {k.Benign, &k.benign}} {
			if *c.to, err = condition(env, c.text); err != nil {
				return nil, fmt.Errorf("known issue %q: %w", k.ID, err)
			}
		}
		s.list = append(s.list, k)
	}
	return s, nil
}

// condition compiles the text of a condition; nil when it is empty.
func condition(env *expr.Env, text string) (*expr.Template, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // no condition is no error
	}
	node := &yamldoc.Node{Kind: yamldoc.Scalar, Value: text, Raw: text}
	switch text {
	case "true":
		node.Value = true
	case "false":
		node.Value = false
	}
	t, ds := env.CompileTemplate(node, boolean())
	if t == nil {
		return nil, ds.Err()
	}
	return t, nil
}

// List returns the issues in the order of their file. The result belongs to the
// caller, what is in it is shared.
func (s *Set) List() []Issue {
	if s == nil {
		return nil
	}
	out := make([]Issue, len(s.list))
	for i, k := range s.list {
		out[i] = k.Issue
	}
	return out
}

// Remedies returns the steps that Refit takes by itself, by the ids of their
// issues, in the order of the file.
func (s *Set) Remedies() yamldoc.Ordered[*StepDocument] {
	var out yamldoc.Ordered[*StepDocument]
	if s == nil || s.doc == nil {
		return nil
	}
	for i := range s.doc.Issues {
		if r := s.doc.Issues[i].Value.Remedy; r != nil && r.Step != nil {
			out = append(out, yamldoc.Named[*StepDocument]{
				Name: s.doc.Issues[i].Name, Pos: s.doc.Issues[i].Pos, Value: r.Step,
			})
		}
	}
	return out
}
