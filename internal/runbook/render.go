package runbook

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/diag"
)

const (
	// notKnown is how a step that a person does is taken back, as far as the page says.
	notKnown = `"no: not known yet, the runbook does not say how it is taken back"`
	// automate stands before the lines that let Refit do the work of a step.
	automate = "To let Refit do it, put these lines in the place of action, with and reversible:"
	// needed stands before inputs that only such lines use.
	needed = "A step that Refit does needs these:"
)

// RenderProcedure writes the procedure. It lints, and everything that the page says
// is in it, but for secrets.
func (d *Draft) RenderProcedure() []byte {
	w := &writer{}
	w.comment(0, wrap(fmt.Sprintf("Made of %s by refit import. Every step is done or judged by a person: Refit "+
		"carries out "+
		"nothing of the page until somebody rewrites a step. Behind each command stands how.",
		diag.Position{File: d.Source}), textWidth, ""))
	w.line(0, "apiVersion: refit.dev/v1alpha1")
	w.line(0, "kind: Procedure")
	w.line(0, "metadata:")
	w.line(2, "name: "+scalar(d.Name))
	w.line(2, "summary: "+scalar(summaryLine(d.Title)))
	if text := d.original(compose(d.about)); text != "" {
		w.text(2, "description", text)
	}
	for _, p := range d.about {
		if p.note {
			w.comment(2, d.original(p.text))
		}
	}
	w.text(2, "source", d.Source)
	w.comment(0, wrap("The page does not say which parts of the platform it changes. Declare them as components, "+
		"and name "+
		"them in changes, downtime and covers: until then no plan can predict a downtime, or refuse a change without "+
		"a backup.",
		textWidth, ""))
	d.inputs(w)
	w.line(0, "stages:")
	for _, s := range d.stages {
		d.stage(w, s)
	}
	if len(d.tail) > 0 {
		w.comment(0, "What the page says beside its steps:")
		w.comment(0, "")
		w.comment(0, d.original(compose(d.tail)))
	}
	for _, p := range d.tail {
		if p.note {
			w.comment(0, d.original(p.text))
		}
	}
	return []byte(w.b.String())
}

func summaryLine(title string) string {
	if title == "" {
		return "Made of a runbook."
	}
	return strings.Join(strings.Fields(title), " ")
}

// inputs writes the inputs; those that only rewritten steps use as a comment.
func (d *Draft) inputs(w *writer) {
	used := d.used()
	var active, later []*Input
	for _, in := range d.Inputs {
		if used[in.Name] && !in.Secret {
			active = append(active, in)
		} else if in.Secret {
			later = append(later, in)
		}
	}
	prefix := ""
	if len(active) > 0 {
		w.line(0, "inputs:")
	}
	for _, in := range active {
		w.line(2, in.Name+":")
		w.line(4, "type: string")
		w.text(4, "description", d.stands(in))
	}
	if len(later) == 0 {
		return
	}
	w.comment(len(prefix), needed)
	if len(active) == 0 {
		w.comment(0, "  inputs:")
	}
	for _, in := range later {
		w.comment(0, fmt.Sprintf("    %s: {type: secret, description: %s}", in.Name, quote(d.stands(in))))
	}
}

// stands says what an input stands for.
func (d *Draft) stands(in *Input) string {
	at := diag.Position{File: d.Source, Line: in.Line}
	if in.Text == in.Name {
		return fmt.Sprintf("A secret that stands in the runbook at %s.", at)
	}
	return fmt.Sprintf("Stands for %s in the runbook, first at %s.", in.Text, at)
}

// used returns the inputs that stand in what people read.
func (d *Draft) used() map[string]bool {
	out := map[string]bool{}
	for step := range d.all() {
		for _, p := range step.pieces {
			if p.note {
				continue
			}
			for _, m := range tokens.FindAllStringSubmatch(p.text, -1) {
				out[m[1]] = true
			}
		}
	}
	return out
}

func (d *Draft) stage(w *writer, s *stage) {
	for _, p := range s.notes {
		w.comment(2, d.original(p.text))
	}
	if s.source != "" {
		w.comment(2, fmt.Sprintf("%s: %s", diag.Position{File: d.Source, Line: s.line}, d.original(s.source)))
	}
	w.line(2, "- id: "+s.id)
	if s.title != "" {
		w.text(4, "description", template(summaryLine(s.title)))
	}
	w.line(4, "steps:")
	for _, step := range s.steps {
		d.step(w, 6, step)
	}
	if len(s.back) == 0 {
		return
	}
	w.line(4, "abort:")
	if h := s.back[0].heading; h != nil && h.Heading != "" {
		w.text(6, "description", h.Heading)
	}
	w.line(6, "steps:")
	for _, step := range s.back {
		d.step(w, 8, step)
	}
}

func (d *Draft) step(w *writer, indent int, s *step) {
	at := diag.Position{File: d.Source, Line: s.line}.String()
	if s.end > s.line {
		at += "-" + itoa(s.end)
	}
	w.comment(indent, at)
	for _, p := range s.pieces {
		if p.note {
			w.comment(indent, d.original(p.text))
		}
	}
	w.line(indent, s.id+":")
	indent += 2
	w.line(indent, "phase: "+string(s.phase))
	if s.needs != "" {
		w.line(indent, "needs: ["+s.needs+"]")
	}
	w.text(indent, "description", template(s.about))
	text := template(s.asks())
	if s.kind.gate() {
		w.line(indent, "action: gate.approval")
		w.line(indent, "with:")
		w.text(indent+2, "reason", text)
	} else {
		w.line(indent, "action: manual.do")
		w.line(indent, "with:")
		w.text(indent+2, "instructions", text)
		w.line(indent, "reversible: "+notKnown)
	}
	d.alternative(w, indent, s)
}

// asks returns what a person reads when the step waits for them.
func (s *step) asks() string {
	foot := ""
	switch s.kind {
	case heed:
		foot = "Approve when you have read this."
	case save:
		foot = "Approve when the backup is made and you have seen that it is good."
	default:
	}
	pieces := append(s.introduced(), piece{text: foot})
	return strings.TrimLeft(compose(pieces), " ")
}

// introduced returns the pieces of a step with a sentence before code that has none:
// what is shown must not look as if it were to be typed, or printed by what is.
func (s *step) introduced() []piece {
	var out []piece
	before := piece{code: true}
	for i, p := range s.pieces {
		if p.note || strings.TrimSpace(p.text) == "" {
			continue
		}
		first := len(out) == 0
		switch {
		case !p.code || !before.code || !first && p.typed && before.typed:
		case p.typed || first && !slices.ContainsFunc(s.pieces[i:], isTyped):
			out = append(out, piece{text: s.head(p.typed)})
		default:
			out = append(out, piece{text: "The runbook shows this:"})
		}
		out = append(out, p)
		before = p
	}
	return out
}

func isTyped(p piece) bool { return p.typed }

// head is the sentence before code that a step is about.
func (s *step) head(typed bool) string {
	switch {
	case s.kind == read:
		return "Run this and read what it prints:"
	case s.kind == save:
		return "Make this backup:"
	case s.kind.gate():
		return "Look at this:"
	case typed:
		return "Run this:"
	default:
		return "Do this:"
	}
}

// alternative writes the lines that let Refit carry a step out, as a comment.
func (d *Draft) alternative(w *writer, indent int, s *step) {
	if len(s.commands) == 0 {
		return
	}
	if s.kind == save && slices.ContainsFunc(s.commands, func(c command) bool { return !c.reads }) {
		w.comment(indent, "A backup that Refit makes, proves and can restore is archive.backup; one that another")
		w.comment(indent, "program makes is exec.command in the phase quiesce.")
		return
	}
	ready := !slices.ContainsFunc(s.commands, func(c command) bool { return !c.ready })
	if !ready {
		w.comment(indent, "How Refit could do it cannot be told from the page: see exec.command and exec.shell.")
		return
	}
	alt := &writer{}
	action := "exec.command"
	switch reads := !slices.ContainsFunc(s.commands, func(c command) bool { return !c.reads }); {
	case s.kind.gate() || reads:
		action = "exec.observe"
		if !reads {
			w.comment(indent, "Make sure that this changes nothing before Refit runs it.")
		}
	case len(s.commands) > 1 || s.commands[0].argv == nil:
		action = "exec.shell"
	}
	w.comment(indent, automate)
	s.exec(alt, action)
	if action != "exec.observe" {
		alt.line(0, "reversible: "+notKnown)
	}
	for line := range strings.Lines(alt.b.String()) {
		w.line(indent, "#   "+strings.TrimRight(line, "\n"))
	}
	for _, name := range s.lends() {
		w.comment(indent, "It sets $"+name+", which other steps use and would not see: hand it over.")
	}
	for _, name := range s.borrowed() {
		w.comment(indent, "$"+name+" is set by another step and not known here: hand it over in env.")
	}
	if action != "exec.observe" {
		w.comment(indent, "Add observe, which tells whether it has happened, and undo: see "+action+".")
	}
}

// exec writes action and with of a step that Refit carries out.
func (s *step) exec(w *writer, action string) {
	w.line(0, "action: "+action)
	w.line(0, "with:")
	if argv := s.commands[0].argv; argv != nil && len(s.commands) == 1 {
		items := make([]string, len(argv))
		for i, word := range argv {
			items[i] = listItem(template(word))
		}
		if line := "command: [" + strings.Join(items, ", ") + "]"; len(line) <= textWidth {
			w.line(2, line)
		} else {
			w.line(2, "command:")
			for _, item := range items {
				w.line(4, "- "+item)
			}
		}
		s.secretEnv(w)
		return
	}
	var scripts, env []string
	for _, c := range s.commands {
		scripts = append(scripts, c.script)
		env = append(env, c.env...)
	}
	slices.Sort(env)
	if env = slices.Compact(env); len(env) > 0 {
		w.line(2, "env:")
		for _, key := range env {
			w.line(4, strings.ToUpper(key)+`: "${inputs.`+key+`}"`)
		}
	}
	s.secretEnv(w)
	script := template(strings.Join(scripts, "\n"))
	if action == "exec.observe" {
		w.line(2, "command:")
		w.line(4, "- sh")
		w.line(4, "- -c")
		w.item(4, "set -eu\n"+script)
		return
	}
	w.text(2, "script", "set -eu\n"+script)
}

// item writes a member of a list with several lines.
func (w *writer) item(indent int, value string) {
	lines := strings.Split(value, "\n")
	if !blockable(lines) {
		w.line(indent, "- "+quote(value))
		return
	}
	w.line(indent, "- |-")
	for _, line := range lines {
		w.line(indent+2, line)
	}
}

// secretEnv writes the variables of a step whose values stay hidden.
func (s *step) secretEnv(w *writer) {
	var names []string
	for _, c := range s.commands {
		names = append(names, c.secrets...)
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) == 0 {
		return
	}
	w.line(2, "secretEnv:")
	for _, name := range names {
		w.line(4, name+`: "${inputs.`+keyOf(name)+`}"`)
	}
}

// lends returns the variables that a step sets and others use.
func (s *step) lends() []string {
	var out []string
	for _, c := range s.commands {
		for _, name := range c.lends {
			out = appendNew(out, name)
		}
	}
	return out
}

// borrowed returns the variables that other steps have set.
func (s *step) borrowed() []string {
	var out []string
	for _, c := range s.commands {
		for _, name := range c.borrows {
			out = appendNew(out, name)
		}
	}
	return out
}

// RenderPlatform writes a platform file for the procedure, with something in the
// place of each value that has to be filled in, so that it can be planned at once.
func (d *Draft) RenderPlatform() []byte {
	w := &writer{}
	w.comment(0, "A platform that procedure.yaml upgrades. Write down what is true for yours.")
	w.line(0, "apiVersion: refit.dev/v1alpha1")
	w.line(0, "kind: Platform")
	w.line(0, "metadata:")
	w.line(2, "name: "+scalar(d.Name))
	w.line(0, "procedure: ./procedure.yaml")
	used := d.used()
	head := false
	for _, in := range d.Inputs {
		if !used[in.Name] || in.Secret {
			continue
		}
		if !head {
			w.comment(0, "Still what stands in the runbook: every step shows it until you give the value.")
			w.line(0, "inputs:")
			head = true
		}
		w.line(2, in.Name+": "+quote(in.Text))
	}
	for _, in := range d.Inputs {
		if in.Secret {
			const line = "When a step needs it, below inputs: %s: {env: %s}"
			w.comment(0, fmt.Sprintf(line, in.Name, strings.ToUpper(in.Name)))
		}
	}
	w.comment(0, "windows:")
	w.comment(0, `  - {days: [Tue], start: "22:00", duration: 4h, zone: UTC}`)
	return []byte(w.b.String())
}
