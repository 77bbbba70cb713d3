package runbook

import (
	"cmp"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/diag"
)

// Options say what a Draft is to be called.
type Options struct {
	// Name is the name of the procedure; made of the title when it is empty.
	Name string
}

// maxSteps is how many steps one stage of a procedure may hold.
const maxSteps = 10_000

// Build makes a draft of a procedure of a runbook. The Draft is nil exactly when
// there is an Error: nothing on the page says what to do, or there is too much.
func Build(book *Runbook, o Options) (*Draft, diag.Diagnostics) {
	w := &walker{book: book, draft: &Draft{Title: book.Title, Source: book.Name, Findings: book.Findings}}
	w.set, w.stages = map[string]bool{}, map[string]int{}
	for _, s := range book.Sections {
		for _, b := range s.Blocks {
			if b.Kind == Code {
				for name := range assignments(b.Text) {
					w.set[name] = true
				}
			}
		}
	}
	l := arrange(book)
	w.tellAbout(l.about)
	for _, g := range l.groups {
		w.buildStage(g)
	}
	w.rest(l)
	w.lend()
	d := w.draft
	d.Source = path.Base(strings.ReplaceAll(d.Source, "\\", "/"))
	if d.Source == "-" {
		d.Source = "stdin"
	}
	d.Inputs = w.in.list
	d.Findings.Sort()
	if ds := w.refusal(); ds != nil {
		return nil, ds
	}
	d.name(o)
	d.count()
	d.Counts.Secrets = w.secrets
	if size := len(d.RenderProcedure()); size > MaxSize {
		var ds diag.Diagnostics
		ds.Errorf("TooLarge", diag.Position{File: book.Name}, "the procedure would have %.1f MiB, at most %d MiB are "+
			"permitted",
			float64(size)/(1<<20), MaxSize>>20).Suggest("split the runbook into pages of their own")
		return nil, ds
	}
	return d, nil
}

// lend tells commands which of their variables others use.
func (w *walker) lend() {
	borrowed := map[string]bool{}
	for step := range w.draft.all() {
		for _, c := range step.commands {
			for _, name := range c.borrows {
				borrowed[name] = true
			}
		}
	}
	for step := range w.draft.all() {
		for i := range step.commands {
			c := &step.commands[i]
			for _, name := range c.sets {
				if borrowed[name] {
					c.lends = append(c.lends, name)
				}
			}
		}
	}
}

// refusal says why there is no draft, nil when there is one.
func (w *walker) refusal() diag.Diagnostics {
	var ds diag.Diagnostics
	pos := diag.Position{File: w.book.Name}
	if len(w.draft.stages) == 0 {
		ds.Errorf("NothingToDo", pos, "nothing in the runbook says what to do: it holds no commands, no list of steps "+
			"and no sentence that begins with a verb").Suggest("is this the file that you mean?")
	}
	for _, s := range w.draft.stages {
		if len(s.steps) > maxSteps {
			ds.Errorf("TooManySteps", pos, "stage %q would have %d steps, at most %d are "+
				"permitted", s.id, len(s.steps), maxSteps).
				Suggest("split the runbook into pages of their own")
		}
	}
	return ds
}

// name names the procedure.
func (d *Draft) name(o Options) {
	const longest = 63
	base := strings.TrimSuffix(d.Source, path.Ext(d.Source))
	d.Name = cmp.Or(o.Name, slug(d.Title, longest), slug(base, longest), "runbook")
	d.Title = cmp.Or(d.Title, base)
}

func (d *Draft) count() {
	c := &d.Counts
	c.Stages, c.Inputs = len(d.stages), len(d.Inputs)
	for step := range d.all() {
		c.Steps++
		if step.kind.gate() {
			c.Gates++
		} else {
			c.Work++
		}
		if len(step.commands) > 0 {
			c.CommandSteps++
		}
		for _, command := range step.commands {
			c.Commands += command.count
		}
	}
}

// all goes through the steps of all stages and of the ways back.
func (d *Draft) all() iter.Seq[*step] {
	return func(yield func(*step) bool) {
		for _, s := range d.stages {
			for _, step := range slices.Concat(s.steps, s.back) {
				if !yield(step) {
					return
				}
			}
		}
	}
}

// buildStage makes a stage of a group of sections. One without steps is kept as text.
func (w *walker) buildStage(g *group) {
	w.stage = &stage{title: g.title, source: g.source, line: g.line}
	w.last, w.target = nil, &w.stage.steps
	w.parts(g.parts)
	w.leave()
	w.target, w.last = &w.stage.back, nil
	w.parts(g.back)
	w.leave()
	if len(w.stage.steps) == 0 && len(w.stage.back) == 0 {
		w.warnf("NothingToDo", g.line, "%q says nothing to do: it is kept as a comment", g.title)
		if g.source != "" {
			w.draft.tail = append(w.draft.tail, piece{text: "# " + g.source, code: true, line: g.line})
		}
		w.draft.tail = append(w.draft.tail, w.stage.notes...)
		return
	}
	if len(w.stage.steps) == 0 {
		// A way back alone: its steps are all that there is.
		w.stage.steps, w.stage.back = w.stage.back, nil
	}
	w.finishStage()
	w.draft.stages = append(w.draft.stages, w.stage)
}

// finishStage gives the steps their phases, ids and order.
func (w *walker) finishStage() {
	s := w.stage
	setPhases(s.steps)
	for _, step := range s.back {
		step.phase = phaseUpgrade
	}
	taken := map[string]int{}
	for _, list := range [][]*step{s.steps, s.back} {
		for i, step := range list {
			step.name(taken)
			if i > 0 && list[i-1].phase == step.phase {
				step.needs = list[i-1].id
			}
		}
	}
	const longest = 40
	s.id = unique(cmp.Or(slug(numbered.ReplaceAllString(s.title, ""), longest), "upgrade"), w.stages)
}

// name gives a step an id and one line for listings.
func (s *step) name(taken map[string]int) {
	const longest, short = 40, 32
	var base string
	first := s.firstProse()
	switch {
	case s.kind == heed:
		base = slug("read "+strings.TrimLeft(first, "*_ "), short)
	case len(s.commands) > 0 && strings.Contains(s.commands[0].name, " "):
		base = slug(s.commands[0].name, longest)
	case len(s.commands) > 0:
		base = cmp.Or(slug(s.summary(), short), slug(s.commands[0].name, longest))
	case s.heading != nil && s.about == s.heading.Heading:
		base = slug(numbered.ReplaceAllString(s.about, ""), longest)
	default:
		base = slug(cmp.Or(first, s.about), short)
	}
	s.id = unique(cmp.Or(base, "step"), taken)
	if s.about == "" {
		s.about = s.summary()
	}
}

// summary is one line that says what a step is about: the sentence before its
// command, else its first one.
func (s *step) summary() string {
	text := s.lead()
	if text == "" && s.heading != nil {
		text = s.heading.Heading
	}
	text = summaryOf(tokens.ReplaceAllString(text, "…"))
	if text == "" && len(s.commands) > 0 {
		text = "Run " + s.commands[0].name
	}
	return cmp.Or(text, "Do what the runbook says")
}

// lead returns the sentence that leads to the commands of a step, the first one of
// a step that has none.
func (s *step) lead() string {
	last := len(s.commands) > 0 && s.kind != heed
	text := ""
	for _, p := range s.pieces {
		if p.note || p.code && !last {
			continue
		}
		if p.code {
			return text
		}
		all := sentences(p.text)
		if n := len(all); n > 1 && exampleIntro.MatchString(all[n-1]) {
			all = all[:n-1]
		}
		switch {
		case len(all) == 0:
		case last:
			text = all[len(all)-1]
		default:
			return all[0]
		}
	}
	return text
}

func (s *step) firstProse() string {
	for _, p := range s.pieces {
		if !p.code && !p.note {
			if all := sentences(p.text); len(all) > 0 {
				return tokens.ReplaceAllString(all[0], "")
			}
		}
	}
	return ""
}

// unique returns base, with a number behind it when it is taken. It keeps in taken
// how often each id was asked for.
func unique(base string, taken map[string]int) string {
	id := base
	for taken[id] > 0 {
		taken[base]++
		id = base + "-" + itoa(taken[base])
	}
	taken[id] = 1
	return id
}

// setPhases gives every step the phase that its section says, as far as the order
// of the page permits: nothing of the page is done before what stands above it.
func setPhases(steps []*step) {
	// A run goes through preflight before it prepares anything, so that what is looked
	// at between preparations has to be one of them.
	prepares := slices.ContainsFunc(steps, func(s *step) bool {
		return !s.kind.gate() && (s.phase == roleBefore || permitted(s.phase) == phasePrepare)
	})
	later := len(phaseOrder()) // the first phase in which something is done behind the step
	for _, s := range slices.Backward(steps) {
		s.phase = s.wish(later, prepares)
		if !s.kind.gate() {
			later = min(later, phaseIndex(s.phase))
		}
	}
	now := 0
	for _, s := range steps {
		now = max(now, phaseIndex(s.phase))
		for !s.kind.gate() && readsOnlyPhase(phaseOrder()[now]) {
			now++
		}
		s.phase = phaseOrder()[now]
	}
}

// wish returns the phase that a step would have by itself. What only looks is looked
// at before the work behind it, and in the phase verify when there is none.
func (s *step) wish(later int, prepares bool) role {
	want := s.phase
	if want == roleBefore {
		want = phasePrepare
		if s.kind.gate() && !prepares {
			want = phasePreflight
		}
	}
	if !s.kind.gate() {
		return permitted(want)
	}
	looks := s.kind == look || s.kind == read || s.kind == wait
	if want == phaseUpgrade && looks && later > phaseIndex(phaseVerify) {
		want = phaseVerify
	}
	if want == phaseVerify && phaseIndex(want) > later {
		want = phaseOrder()[later]
	}
	return want
}

// index4 is the place of the phase upgrade.
const index4 = 4

// permitted returns where something is done whose section wants a phase that only reads.
func permitted(r role) role {
	switch r {
	case phasePreflight:
		return phasePrepare
	case phaseBackup:
		return phaseQuiesce
	case phaseVerify:
		return phaseUpgrade
	default:
		return r
	}
}

// readsOnlyPhase tells whether no work is permitted in a phase.
func readsOnlyPhase(r role) bool { return r == phasePreflight || r == phaseBackup || r == phaseVerify }
