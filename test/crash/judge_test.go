package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// line is a line of the ledger.
type line struct {
	what, name string
	pid        int
}

type ledger []line

func (s *scene) ledger() ledger {
	data, err := os.ReadFile(filepath.Join(s.dir, "ledger"))
	if err != nil {
		s.tb.Fatal(err)
	}
	var l ledger
	for text := range strings.Lines(string(data)) {
		f := strings.Fields(text)
		if len(f) != 3 {
			s.tb.Fatalf("the ledger has the line %q", text)
		}
		pid, err := strconv.Atoi(f[2])
		if err != nil {
			s.tb.Fatal(err)
		}
		l = append(l, line{f[0], f[1], pid})
	}
	return l
}

// balance tells how often an effect is there: 0 or 1, if all is well.
func (l ledger) balance(name string) int {
	n := 0
	for _, e := range l {
		switch {
		case e.name != name:
		case e.what == "effect":
			n++
		case e.what == "back":
			n--
		}
	}
	return n
}

func (l ledger) effects() int {
	n := 0
	for _, e := range l {
		if e.what == "effect" || e.what == "back" {
			n++
		}
	}
	return n
}

// first returns where a line stands first, -1 if nowhere.
func (l ledger) first(what, name string) int {
	return slices.IndexFunc(l, func(e line) bool { return e.what == what && e.name == name })
}

// verdict collects what is wrong.
type verdict struct {
	problems []string
	steps    int
	effects  int
	events   int
	status   run.Status
}

func (v *verdict) sayf(format string, args ...any) {
	v.problems = append(v.problems, fmt.Sprintf(format, args...))
}

// judge looks at what is left when the run has ended.
func (s *scene) judge() (*verdict, error) {
	v := &verdict{}
	l := s.ledger()
	v.effects = l.effects()
	v.repeats(l, s.dead)
	if left := s.programs(); len(left) > 0 {
		v.sayf("programs %v go on although the run has ended", left)
	}
	state, history, err := s.fold(v)
	if err != nil {
		return v, err
	}
	v.status, v.events = state.Status, len(history)
	v.doubts(state, history)
	v.outcomes(s, state, l)
	v.order(state, l)
	return v, nil
}

// fold reads the run twice, from its checkpoint and from its beginning, and a
// third time from the events alone.
func (s *scene) fold(v *verdict) (*run.State, []engine.Record, error) {
	ctx := context.Background()
	var texts []any
	var state run.State
	var history []engine.Record
	for _, form := range []string{"crash", "another"} {
		e, err := s.look(form)
		if err != nil {
			return nil, nil, err
		}
		snap, err := e.Load(ctx, s.id)
		if err == nil {
			history, err = e.History(ctx, s.id, 0, 0)
		}
		if err != nil {
			return nil, nil, err
		}
		if err := e.Close(); err != nil {
			return nil, nil, err
		}
		if snap.Info.Status != snap.State.Status || snap.Info.Seq != snap.State.Seq {
			v.sayf("the run is listed as %s at %d, its history says %s at %d",
				snap.Info.Status, snap.Info.Seq, snap.State.Status, snap.State.Seq)
		}
		state = snap.State
		texts = append(texts, plain(&state))
	}
	again := run.New(s.plan, s.id)
	for i, r := range history {
		if r.Event.Seq != uint64(i)+1 {
			v.sayf("event %d stands in place %d", r.Event.Seq, i+1)
		}
		var err error
		if again, err = run.Advance(again, r.Event); err != nil {
			return nil, nil, fmt.Errorf("fold event %d: %w", r.Event.Seq, err)
		}
	}
	texts = append(texts, plain(&again))
	for _, other := range texts[1:] {
		if diff := cmp.Diff(texts[0], other); diff != "" {
			v.sayf("the checkpoint with what follows (-) is not the history (+): %s", diff)
		}
	}
	return &state, history, nil
}

func plain(s *run.State) any {
	data, err := json.Marshal(s)
	if err != nil {
		return err.Error()
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return err.Error()
	}
	return v
}

// repeats looks for effects that happened twice, and for attempts of one step at
// once.
func (v *verdict) repeats(l ledger, dead map[int]bool) {
	balance, running := map[string]int{}, map[string]int{}
	for i, e := range l {
		switch e.what {
		case "effect":
			balance[e.name]++
		case "back":
			balance[e.name]--
		case "begin":
			if other, busy := running[e.name]; busy && !dead[other] {
				v.sayf("line %d: program %d began %s while program %d was at it", i+1, e.pid, e.name, other)
			}
			running[e.name] = e.pid
		case "end":
			delete(running, e.name)
		}
		if n := balance[e.name]; n < 0 || n > 1 {
			v.sayf("line %d: the effect of %s is there %d times", i+1, e.name, n)
		}
	}
}

// doubts looks that an attempt whose result is not known is followed by an
// observation or a person, and by nothing else.
func (v *verdict) doubts(state *run.State, history []engine.Record) {
	open, done := map[run.Ref]bool{}, map[run.Ref]bool{}
	for _, r := range history {
		if e, ok := r.Event.Body.(*run.OperationStarted); ok {
			if open[e.Op] {
				v.sayf("event %d: attempt %d of %+v begins although nobody knows what the one before did",
					r.Event.Seq, e.Attempt, e.Op)
			}
			open[e.Op] = true
		}
		if e, ok := r.Event.Body.(*run.OperationEnded); ok {
			open[e.Op] = !e.OK && e.Extent != "none"
			done[e.Op] = e.OK
		}
		if e, ok := r.Event.Body.(*run.Observed); ok {
			if e.Status != "inProgress" && e.Status != "unknown" {
				open[e.Op] = false
			}
			done[e.Op] = e.Status == "done"
		}
		if e, ok := r.Event.Body.(*run.Settled); ok {
			open[e.Op], done[e.Op] = false, e.Verdict == run.VerdictDone
		}
	}
	for ref, is := range open {
		if is {
			v.sayf("nobody ever looked what %+v did", ref)
		}
	}
	each(state, func(stage string, st *run.StepState, step *plan.Step) {
		if st.Status != run.StepSucceeded || step.Effect != action.Mutating || step.Gate != "" {
			return
		}
		for i := range st.Ops {
			if !done[st.Ops[i].Ref] {
				v.sayf("%s/%s counts as done, but nobody saw it", stage, step.ID)
			}
		}
	})
}

// each visits the steps of the stages.
func each(state *run.State, visit func(stage string, st *run.StepState, step *plan.Step)) {
	for i, id := range state.StageIDs() {
		for j := range state.Stages[i].Steps {
			st, step := state.StepAt(run.Place{Stage: i, Step: j})
			visit(id, st, step)
		}
	}
}

// outcomes compares the state of each step with the ledger and the files.
func (v *verdict) outcomes(s *scene, state *run.State, l ledger) {
	want := run.Succeeded
	if strings.Contains(read(s.tb, filepath.Join(s.dir, "procedure.yaml")), "onFailure: rollback") {
		want = run.RolledBack
	}
	if state.Status != want {
		v.sayf("the run has ended as %s, want %s", state.Status, want)
	}
	if held := run.Summarize(*state).Leases; len(held) > 0 {
		v.sayf("leases are held still: %+v", held)
	}
	known := map[string]bool{}
	each(state, func(stage string, st *run.StepState, step *plan.Step) {
		v.steps++
		if step.Effect != action.Mutating || step.Gate != "" {
			return
		}
		there := st.Status == run.StepSucceeded && (st.Lease == nil || st.Lease.Held)
		if strings.HasPrefix(step.Action, "file.copy") {
			v.copied(s, stage+"."+step.ID, there)
			return
		}
		for i := range st.Ops {
			name := effectName(st.Ops[i].Ref)
			known[name] = true
			if n := l.balance(name); (n == 1) != there {
				v.sayf("%s is %s, its effect is there %d times", name, st.Status, n)
			}
			if _, err := os.Stat(filepath.Join(s.dir, "made", name)); (err == nil) != there {
				v.sayf("%s is %s, its file says otherwise: %v", name, st.Status, err)
			}
		}
		if st.Status == run.StepSucceeded && len(st.Ops) == 0 {
			v.sayf("%s/%s counts as done without an operation", stage, step.ID)
		}
	})
	for _, e := range l {
		if !known[e.name] {
			v.sayf("the ledger has %s, which no step of the run did", e.name)
			known[e.name] = true
		}
	}
}

// copied looks at the file that a step has copied, or has put back.
func (v *verdict) copied(s *scene, name string, there bool) {
	data, err := os.ReadFile(filepath.Join(s.dir, "to", name))
	got := string(data)
	switch {
	case there && got != "new "+name:
		v.sayf("file %s holds %q, %v", name, got, err)
	case !there && got != "" && got != "old "+name:
		v.sayf("file %s holds %q and was not put back", name, got)
	}
}

// order looks that no step began before what it needs had its effect, that phases
// and stages followed one another, and that the way back went the other way.
func (v *verdict) order(state *run.State, l ledger) {
	type mark struct {
		stage, phase int
		name         string
		needs        []string
	}
	var marks []mark
	for i, id := range state.StageIDs() {
		for j := range state.Stages[i].Steps {
			st, step := state.StepAt(run.Place{Stage: i, Step: j})
			for k := range st.Ops {
				m := mark{stage: i, phase: slices.Index(plan.Phases(), step.Phase), name: effectName(st.Ops[k].Ref)}
				for _, need := range step.Needs {
					m.needs = append(m.needs, id+"."+need)
				}
				if l.first("begin", m.name) >= 0 {
					marks = append(marks, m)
				}
			}
		}
	}
	for _, a := range marks {
		for _, b := range marks {
			before := a.stage < b.stage || a.stage == b.stage && (a.phase < b.phase || slices.Contains(b.needs, a.name))
			if !before || a.name == b.name {
				continue
			}
			if l.first("begin", b.name) < l.first("effect", a.name) {
				v.sayf("%s began before the effect of %s", b.name, a.name)
			}
			from, to := l.first("back", a.name), l.first("back", b.name)
			if from >= 0 && to >= 0 && from < to && slices.Contains(b.needs, a.name) {
				v.sayf("%s was taken back before %s", a.name, b.name)
			}
		}
	}
}
