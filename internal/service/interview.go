package service

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/platform"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// InitRequest says what is known of a platform before anybody is asked.
type InitRequest struct {
	// File is the platform file to write.
	File string
	// Procedure is the name of a shipped procedure, or a file as the person calls
	// it; empty to ask for it.
	Procedure string
	// Answers are those that were given beforehand, by the keys of questions.
	Answers map[string]string
	// Getenv gives variables of the environment; nil for none.
	Getenv func(name string) string
}

// Interview is the way to a platform file: questions, answers, and the text that
// they give. It is not safe for concurrent use.
type Interview struct {
	s    *Service
	file string
	// dir is the absolute folder of the file.
	dir       string
	procedure *procedure.Procedure
	// ref is the procedure as the platform file names it.
	ref     string
	answers map[string]string
	// open says what a person does about what has no answer, by the keys of questions.
	open   map[string]string
	getenv func(string) string
}

// Interview begins the way to a platform file. Nothing is written and nothing is
// observed.
func (s *Service) Interview(req InitRequest) (*Interview, error) {
	if req.File == "" || req.File == "-" {
		return nil, usageErrorf("there is no file name to write the platform file to").suggest("give --save FILE")
	}
	if info, err := os.Stat(filepath.Dir(req.File)); err != nil || !info.IsDir() {
		return nil, usageErrorf("there is no folder %q to write the platform file to", filepath.Dir(req.File)).
			suggest("create the folder, or give another name with --save")
	}
	dir, err := filepath.Abs(filepath.Dir(resolveLink(req.File)))
	if err != nil {
		return nil, fmt.Errorf("find the folder of %q: %w", req.File, err)
	}
	iv := &Interview{s: s, file: req.File, dir: dir, answers: map[string]string{}, getenv: req.Getenv}
	if iv.getenv == nil {
		iv.getenv = func(string) string { return "" }
	}
	maps.Copy(iv.answers, req.Answers)
	if req.Procedure != "" {
		if err := iv.Choose(req.Procedure); err != nil {
			return nil, err
		}
	}
	return iv, nil
}

// File is the name of the platform file.
func (iv *Interview) File() string { return iv.file }

// Exists tells whether there is something at the name of the file.
func (iv *Interview) Exists() bool {
	_, err := os.Lstat(iv.file)
	return err == nil
}

// Chosen tells whether the procedure is known. Without it there are no questions.
func (iv *Interview) Chosen() bool { return iv.procedure != nil }

// Procedures lists what can be chosen from: the procedures that Refit ships, and
// the procedure files in the folder of the platform file and in those below it.
func (iv *Interview) Procedures() ([]Option, error) {
	names, err := iv.s.shipped()
	if err != nil {
		return nil, err
	}
	var out []Option
	for _, name := range names {
		if proc, _, _, err := iv.s.loadProcedure(name, "", diag.Position{}); err == nil {
			out = append(out, Option{Value: name, Text: proc.Document.Metadata.Summary})
		}
	}
	for _, pattern := range []string{"*.yaml", "*.yml", "*/" + mainFile} {
		found, err := filepath.Glob(filepath.Join(filepath.Dir(iv.file), pattern))
		if err != nil {
			continue // The folder has a name that cannot be searched for.
		}
		for _, name := range found {
			if data, err := readFile(name, MaxFileSize); err == nil && kindOf(name, data) == procedure.KindProcedure {
				out = append(out, Option{Value: procedureRef(name), Text: summaryIn(name, data)})
			}
		}
	}
	return out, nil
}

// summaryIn returns the summary of a procedure, also of one with mistakes.
func summaryIn(name string, data []byte) string {
	root, _ := yamldoc.Parse(name, data, yamldoc.DefaultLimits())
	return nodeText(root.Get("metadata").Get("summary"))
}

// procedureRef writes the name of a file so that it is not taken for a procedure
// that Refit ships.
func procedureRef(name string) string {
	name = filepath.ToSlash(name)
	if filepath.IsAbs(name) || strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../") {
		return name
	}
	return "./" + name
}

// Choose takes a procedure. What is wrong with it comes back as its diagnostics.
// Answers to the questions of another procedure are forgotten.
func (iv *Interview) Choose(ref string) error {
	proc, _, _, err := iv.s.loadProcedure(ref, "", diag.Position{})
	if err != nil {
		return err
	}
	iv.procedure, iv.ref = proc, ref
	if isFileName(ref) {
		iv.ref = procedureRef(relativeTo(filepath.Dir(iv.file), ref))
	}
	return iv.knownAnswers()
}

// knownAnswers refuses answers to what nobody asks.
func (iv *Interview) knownAnswers() error {
	var keys []string
	for _, q := range iv.Questions() {
		keys = append(keys, q.Key)
	}
	var ds diag.Diagnostics
	for _, key := range slices.Sorted(maps.Keys(iv.answers)) {
		if slices.Contains(keys, key) || iv.spread(key, keys) {
			continue
		}
		d := ds.Errorf("UnknownInput", diag.Position{File: iv.file}, "procedure %q asks for nothing called %q",
			iv.procedure.Document.Metadata.Name.Value, bare(key))
		if near := diag.Nearest(key, keys); near != "" {
			d.Suggest("did you mean %q?", bare(near))
		}
	}
	return ds.Err()
}

// bare returns the key of a question as it is given on the command line.
func bare(key string) string {
	return strings.TrimPrefix(strings.TrimPrefix(key, "inputs."), "targets.")
}

// spread gives the answer to something with members to the questions about these:
// to the only one, or to each its own when the answer is a mapping.
func (iv *Interview) spread(key string, keys []string) bool {
	members := slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return !strings.HasPrefix(k, key+".") })
	text := iv.answers[key]
	switch {
	case len(members) == 0:
		return false
	case len(members) == 1 && !strings.HasPrefix(strings.TrimSpace(text), "{"):
		iv.answers[members[0]] = text
	default:
		values, ok := plainValue(schema.Of(schema.Any), text).(map[string]any)
		if !ok {
			return false
		}
		for _, name := range slices.Sorted(maps.Keys(values)) {
			member := key + "." + name
			if !slices.Contains(keys, member) {
				return false
			}
			iv.answers[member] = typed(values[name])
		}
	}
	delete(iv.answers, key)
	return true
}

// Set takes an answer as it is; Check tells beforehand whether it is right.
func (iv *Interview) Set(key, text string) { iv.answers[key] = text }

// Answer returns what was answered, "" for nothing.
func (iv *Interview) Answer(key string) string { return iv.answers[key] }

// Check tells what is wrong with an answer, nil for nothing. It is judged by what
// judges the whole file, so that nothing is refused later that was taken here.
func (iv *Interview) Check(key, text string) error {
	q, ok := iv.question(key)
	if !ok {
		return usageErrorf("nothing called %q is asked", key)
	}
	if strings.TrimSpace(text) == "" {
		if q.Required && q.Default == "" {
			return errors.New("an answer is needed")
		}
		return nil
	}
	candidate := *iv
	candidate.answers = maps.Clone(iv.answers)
	candidate.answers[key] = text
	wrong, err := candidate.wrong()
	if err != nil {
		return err
	}
	if len(wrong[key]) > 0 {
		return errors.New(wrong[key][0])
	}
	return nil
}

// Wrong returns what is wrong with the answers, by the keys of the questions, all
// at once: what is missing, and what the platform file would be refused for. What
// belongs to no question has the key "".
func (iv *Interview) Wrong() (map[string][]string, error) {
	wrong, err := iv.wrong()
	if err != nil {
		return nil, err
	}
	for _, q := range iv.Questions() {
		if q.Required && q.Default == "" && strings.TrimSpace(iv.answers[q.Key]) == "" {
			wrong[q.Key] = []string{fmt.Sprintf("%s is missing", q.subject())}
		}
	}
	return wrong, nil
}

// wrong returns what is wrong with what was answered. That something is missing
// does not count.
func (iv *Interview) wrong() (map[string][]string, error) {
	draft, bad := iv.draft()
	out := map[string][]string{}
	for key, err := range bad {
		out[key] = append(out[key], err.Error())
	}
	text, err := platform.Render(draft)
	if err != nil {
		return nil, err
	}
	p, ds := platform.Load(iv.file, text.Text)
	if p == nil {
		return nil, ds
	}
	ds = append(ds, iv.s.fitting(p, iv.procedure)...)
	for _, d := range ds {
		if d.Severity != diag.Error {
			continue
		}
		line := d.Summary
		if d.Suggestion != "" {
			line += ": " + d.Suggestion
		}
		switch key := text.At(d.Line, d.Column); {
		case key != "" && bad[key] == nil:
			out[key] = append(out[key], line)
		case key == "" && !saysMissing(d):
			out[""] = append(out[""], line)
		}
	}
	return out, nil
}

// saysMissing tells whether a diagnostic is about a value that is not given, which
// Wrong finds by the questions.
func saysMissing(d diag.Diagnostic) bool {
	return slices.Contains([]string{"InputMissing", "TargetMissing", "MissingKey"}, d.Code) ||
		strings.HasSuffix(d.Summary, " is missing")
}

// Missing returns what is wrong as diagnostics, each with what to type on the
// command line.
func (iv *Interview) Missing() error {
	wrong, err := iv.Wrong()
	if err != nil {
		return err
	}
	var ds diag.Diagnostics
	pos := diag.Position{File: iv.file}
	for _, q := range iv.Questions() {
		for _, text := range wrong[q.Key] {
			d := ds.Errorf("AnswerWrong", pos, "%s", text)
			if strings.HasSuffix(text, " is missing") {
				d.Code = "InputMissing"
				hint := "give " + q.Flag
				if q.Help != "" {
					hint += " (" + strings.TrimSuffix(q.Help, ".") + ")"
				}
				d.Suggest("%s", hint)
			}
		}
	}
	for _, text := range wrong[""] {
		ds.Errorf("AnswerWrong", pos, "%s", text)
	}
	return ds.Err()
}

// Text returns the platform file.
func (iv *Interview) Text() ([]byte, error) {
	draft, bad := iv.draft()
	for _, key := range slices.Sorted(maps.Keys(bad)) {
		return nil, bad[key]
	}
	text, err := platform.Render(draft)
	if err != nil {
		return nil, err
	}
	return text.Text, nil
}
