package service

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// program is one that is looked for.
type program struct {
	name string
	// path is where it must be when its name is a path, else empty.
	path string
	// must tells that nothing goes on without it: a script may not get there, and a
	// file may be made by an earlier step.
	must bool
	// by is what starts it; empty when an action does so by itself.
	by string
	// script tells that a script starts it.
	script bool
}

// givenSecret is a secret whose reference stands in a step.
type givenSecret struct {
	name string
	ref  map[string]any
	must bool
}

// needs collects what the steps of a procedure need of this machine.
type needs struct {
	dir      string // of the platform file
	programs []program
	secrets  []givenSecret
	notes    []DoctorNote
	made     makers
}

// needsOf returns what a procedure needs: the programs of its actions, those that its
// commands and scripts name, and the secrets that its steps refer to.
func needsOf(proc *procedure.Procedure, dir string) *needs {
	n := &needs{dir: dir, made: makers{paths: map[string]bool{}}}
	for i := range proc.Facts {
		f := &proc.Facts[i]
		n.input("observe."+f.Name, f.Spec, f.Spec.Input, f.Source.With)
	}
	for _, t := range proc.Document.Targets {
		if t.Value.Kind.Value == "git" {
			n.own("git") // Its identity is asked for with it.
		}
	}
	for _, stage := range proc.Stages {
		for _, steps := range [][]*procedure.StepTemplate{stage.Steps, stage.Abort} {
			n.made.copies(dir, steps)
			n.steps(fmt.Sprint(stage.ID.Source()), "", steps)
		}
	}
	for _, p := range proc.Document.Probes {
		if p.Value.Exec != nil {
			n.command("probe "+p.Name, dir, false, p.Value.Exec.Command)
		}
	}
	return n
}

func (n *needs) steps(stage, prefix string, steps []*procedure.StepTemplate) {
	for _, step := range steps {
		id := prefix + step.ID
		input := step.Spec.Input
		if step.Sub != nil {
			input = step.Sub.Inputs
		}
		n.input(plan.StepPath(stage, id), step.Spec, input, step.Source.With)
		if step.Sub != nil {
			n.steps(stage, id+"/", step.Sub.Steps)
		} else if step.Spec.Effect != action.ReadOnly {
			n.made.texts = append(n.made.texts, words(step.Source.With)...)
		}
	}
}

// own adds programs that an action starts by itself.
func (n *needs) own(names ...string) {
	for _, name := range names {
		n.programs = append(n.programs, program{name: name, must: true})
	}
}

// input adds what the input of an action needs.
func (n *needs) input(by string, spec action.Spec, t schema.Type, with *yamldoc.Node) {
	n.own(spec.Programs...)
	n.literalSecrets(by, t, with)
	dir, known := n.dir, true
	if given := with.Get("dir"); given != nil {
		text := nodeText(given)
		dir, known = n.within(text), !strings.Contains(text, "${")
	}
	if !known {
		dir = ""
	}
	searches := with.Get("env").Get("PATH") != nil || with.Get("secretEnv").Get("PATH") != nil
	n.commands(by, dir, searches, t, with)
	if with.Get("script") == nil {
		return
	}
	for _, key := range []string{"script", "observe", "undo"} {
		n.script(by, dir, searches, nodeText(with.Get(key)))
	}
}

// within returns a path that is relative to the platform file.
func (n *needs) within(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(n.dir, path)
}

// commands finds the keys command of an input, however deep they stand: a command, how
// its effect is observed, how it is undone. Those of references to secrets are no
// programs of the step.
func (n *needs) commands(by, dir string, searches bool, t schema.Type, node *yamldoc.Node) {
	if node == nil {
		return
	}
	for i := range node.Pairs {
		pair := &node.Pairs[i]
		field := t.Fields[pair.Key].Type
		if holdsSecret(field) {
			continue
		}
		if pair.Key == "command" {
			n.command(by, dir, searches, pair.Value)
		}
		n.commands(by, dir, searches, field, pair.Value)
	}
	for _, item := range node.Items {
		n.commands(by, dir, searches, schema.Type{}, item)
	}
}

func holdsSecret(t schema.Type) bool {
	return t.Kind == schema.Secret ||
		(t.Kind == schema.Map || t.Kind == schema.List) && t.ElemType().Kind == schema.Secret
}

// command adds the program of a command, unless it is only known later, and those of a
// script that a shell gets as an argument.
func (n *needs) command(by, dir string, searches bool, node *yamldoc.Node) {
	if node == nil || len(node.Items) == 0 {
		return
	}
	name := nodeText(node.Items[0])
	if name == "" || strings.Contains(name, "${") {
		return
	}
	n.add(program{name: name, must: true, by: by}, dir, searches)
	shell := slices.Contains([]string{"sh", "bash", "dash"}, filepath.Base(name))
	if shell && len(node.Items) > 2 && slices.Contains([]string{"-c", "-ec", "-euc"}, nodeText(node.Items[1])) {
		n.script(by, dir, searches, nodeText(node.Items[2]))
	}
}

// script adds the programs of a script. It may not get to them.
func (n *needs) script(by, dir string, searches bool, text string) {
	for _, name := range scriptPrograms(text) {
		n.add(program{name: name, by: by, script: true}, dir, searches)
	}
}

// add adds a program that is started in a folder, which is empty when it is only known
// later. What an earlier step makes is not there yet.
func (n *needs) add(p program, dir string, searches bool) {
	switch {
	case !strings.Contains(p.name, "/"):
		if searches {
			return // The step brings its own PATH.
		}
	case filepath.IsAbs(p.name):
		p.path = filepath.Clean(p.name)
	case dir == "":
		n.notes = append(n.notes, DoctorNote{
			Name:    "program/" + p.name,
			Message: "is not looked for: the folder in which " + p.by + " starts it is only known later",
		})
		return
	default:
		p.path = filepath.Join(dir, p.name)
	}
	if p.path != "" {
		if n.made.paths[p.path] {
			return
		}
		p.must = p.must && !n.made.may(p.path)
	}
	n.programs = append(n.programs, p)
}

// literalSecrets adds the references to secrets that an input holds, but for those that
// are expressions: what they stand for is looked at where it is given.
func (n *needs) literalSecrets(name string, t schema.Type, node *yamldoc.Node) {
	switch {
	case node == nil:
	case t.Kind == schema.Secret:
		ref, ok := node.Plain().(map[string]any)
		if ok && !slices.ContainsFunc(words(node), func(w string) bool { return strings.Contains(w, "${") }) {
			n.secret(name, ref)
		}
	case t.Kind == schema.List:
		for i, item := range node.Items {
			n.literalSecrets(fmt.Sprintf("%s.%d", name, i), t.ElemType(), item)
		}
	default:
		for i := range node.Pairs {
			pair, field := &node.Pairs[i], t.ElemType()
			if t.Kind != schema.Map {
				field = t.Fields[pair.Key].Type
			}
			n.literalSecrets(name+"."+pair.Key, field, pair.Value)
		}
	}
}

// secret adds a reference, once however many steps have it. A captured secret may be
// captured by the run itself, so only its key is looked at.
func (n *needs) secret(name string, ref map[string]any) {
	if captured, ok := ref[schema.SecretCaptured].(map[string]any); ok {
		name, ref = name+"."+schema.SecretCaptured+".key", nil
		if key, ok := captured["key"].(map[string]any); ok {
			ref = key
		}
	}
	same := func(s givenSecret) bool { return fmt.Sprint(s.ref) == fmt.Sprint(ref) }
	if ref == nil || slices.ContainsFunc(n.secrets, same) {
		return
	}
	must := true
	if file, ok := ref["file"].(string); ok {
		if n.made.paths[n.within(file)] {
			return
		}
		must = !n.made.may(n.within(file))
	}
	if from := secretProgram(ref); strings.Contains(from, "/") {
		if n.made.paths[n.within(from)] {
			return
		}
		must = !n.made.may(n.within(from))
	}
	n.secretProgram(name, ref)
	n.secrets = append(n.secrets, givenSecret{name: name, ref: ref, must: must})
}

// secretProgram adds the program that prints a secret.
func (n *needs) secretProgram(name string, ref map[string]any) {
	if from := secretProgram(ref); from != "" {
		n.add(program{name: from, must: true, by: "secret " + name}, n.dir, false)
	}
}

func secretProgram(ref map[string]any) string {
	list, _ := ref["command"].([]any)
	if len(list) == 0 {
		return ""
	}
	name, _ := list[0].(string)
	return name
}

// makers are what may make files before a step needs them.
type makers struct {
	// paths are files that steps write, open tells that one writes a file whose name
	// is only known later.
	paths map[string]bool
	open  bool
	// texts are the words of earlier steps that change something.
	texts []string
}

// copies notes the files that the steps of a stage write. The order is not asked for: a
// step that writes to where a program is expected is there to bring it.
func (m *makers) copies(dir string, steps []*procedure.StepTemplate) {
	for _, step := range steps {
		if step.Sub != nil {
			m.copies(dir, step.Sub.Steps)
			continue
		}
		to := nodeText(step.Source.With.Get("to"))
		switch {
		case to == "" || step.Spec.Effect == action.ReadOnly:
		case strings.Contains(to, "${"):
			m.open = true
		case filepath.IsAbs(to):
			m.paths[filepath.Clean(to)] = true
		default:
			m.paths[filepath.Join(dir, to)] = true
		}
	}
}

// may tells whether a file may be made by the time that it is needed: its folder is not
// there yet either, an earlier step names it, or starts a program that makes files.
func (m *makers) may(path string) bool {
	if m.open {
		return true
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil && len(m.texts) > 0 {
		return true
	}
	programs := []string{
		"cp", "curl", "git", "gunzip", "install", "ln", "make", "mv", "rsync", "scp", "tar", "unzip", "wget",
	}
	for _, text := range m.texts {
		for _, word := range strings.FieldsFunc(text, func(r rune) bool {
			return strings.ContainsRune(" \t\n;|&(){}$<>\"'`=", r)
		}) {
			base := filepath.Base(word)
			makes := (word == base || filepath.IsAbs(word)) && slices.Contains(programs, base)
			if makes || base == filepath.Base(path) {
				return true
			}
		}
	}
	return false
}

// words returns all texts of a node.
func words(node *yamldoc.Node) []string {
	if node == nil {
		return nil
	}
	var out []string
	if text := nodeText(node); text != "" {
		out = append(out, text)
	}
	for _, item := range node.Items {
		out = append(out, words(item)...)
	}
	for i := range node.Pairs {
		out = append(out, words(node.Pairs[i].Value)...)
	}
	return out
}
