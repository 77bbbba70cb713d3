package sim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// fate is what comes of an effect.
type fate int

const (
	full fate = iota
	half
	none
)

// effect is an attempt that is under way in the world.
type effect struct {
	c    run.PerformOperation
	in   *info
	o    *object
	fate fate
	over bool
	// writes is how much had been written when a backup began to read.
	writes map[string]int
}

// start begins an effect. What must hold at that moment is judged here.
func (w *world) start(c run.PerformOperation, fate fate) *effect {
	in := w.info(c.Op)
	o, want := w.of(c.Op)
	e := &effect{c: c, in: in, o: o, fate: fate}
	if o.effect != nil {
		w.violatef("I3", "%s began while %s is under way", c.ID(), o.effect.c.ID())
	}
	for name, other := range w.objects {
		if r := in.step.Resource; r != "" && other.effect != nil && other.effect.in.step.Resource == r &&
			name != o.name && c.Op.What == run.Do {
			w.violatef("resource", "%s began while %s uses %s", c.ID(), other.effect.c.ID(), r)
		}
	}
	w.begun[c.Key]++
	forward := c.Op.What == run.Do || c.Op.What == run.Retake
	data := in.step.Effect == action.Scratch || c.Op.What == run.Restore
	switch {
	case data:
		e.writes = map[string]int{}
		for _, name := range in.step.Covers {
			w.touch(w.components[name])
			e.writes[name] = w.components[name].writes
		}
		w.mayRestore(c)
	case forward && o.value == want && !o.half && w.changed[c.Key] > 0:
		w.violatef("I4", "%s began, and its key has changed the world already", c.ID())
	case !forward:
		w.mayUndo(c, in, o)
	}
	if c.Op.What == run.Do && in.step.Effect == action.Mutating {
		w.begin(in.at.Stage)
		w.mayDamage(in, c)
	}
	o.effect = e
	return e
}

// mayDamage judges that a proved backup of the stage holds what a step may
// damage: whatever users have written is in it.
func (w *world) mayDamage(in *info, c run.PerformOperation) {
	for _, name := range in.data {
		comp := w.components[name]
		w.touch(comp)
		covered := false
		for _, s := range w.snapshots {
			if s.stage == in.stage && s.component == name && s.proved &&
				(s.online || comp.tainted || s.writes == comp.writes) {
				covered = true
			}
		}
		if !covered {
			w.violatef("covered", "%s began, and no proved backup of its stage holds all of %s", c.ID(), name)
		}
	}
}

// mayRestore judges that nobody writes while data is brought back, and that
// the backup is there.
func (w *world) mayRestore(c run.PerformOperation) {
	if c.Op.What != run.Restore {
		return
	}
	s := w.snapshots[c.Op.Stage+"/"+c.Op.Step]
	comp := w.components[c.Op.Component]
	if s == nil || !s.proved || s.component != c.Op.Component {
		w.violatef("restore", "%s began without a proved backup", c.ID())
		return
	}
	if !s.online && !comp.tainted && !w.quiet(comp) {
		w.violatef("restore", "%s began while %s is written to", c.ID(), comp.name)
	}
}

// mayUndo judges that only what we did is taken back, and nothing that another
// change rests on.
func (w *world) mayUndo(c run.PerformOperation, in *info, o *object) {
	// What is half done may be ours, when an attempt was lost on its way: nobody can
	// tell it from what the stage before has left.
	if key := doKey(in, c.Op.Member); w.begun[key]+w.begun[key+":retake"] == 0 && !o.half {
		w.violatef("I6", "%s began, and we never did it", c.ID())
	}
	if _, want := w.of(c.Op); o.value != want && !o.half {
		w.violatef("foreign", "%s began, and the target carries %q, which is not ours", c.ID(), o.value)
	}
	if c.Op.What != run.Undo {
		return
	}
	for _, d := range in.dependents {
		if d.step.Effect != action.Mutating || d.step.Lease != nil || d.step.Reversible == plan.ReversibleNo {
			continue
		}
		for _, m := range []string{"", "x", "y"} {
			other, want := w.of(run.Ref{Stage: d.stage, Step: d.step.ID, Member: m})
			if other.value == want && !other.foreign && w.changed[doKey(d, m)] > 0 {
				w.violatef("I6", "%s began before %s was undone, which rests on it", c.ID(), d.step.ID)
			}
		}
	}
}

// finish ends an effect with what comes of it.
func (w *world) finish(e *effect) {
	if e.over {
		return
	}
	e.over = true
	e.o.effect = nil
	switch {
	case e.fate == none:
	case e.c.Op.What == run.Restore:
		w.finishRestore(e)
	case e.in.step.Effect == action.Scratch:
		w.finishBackup(e)
	case e.c.Op.What == run.Do, e.c.Op.What == run.Retake:
		w.finishForward(e)
	default:
		w.finishBack(e)
	}
}

func (w *world) finishForward(e *effect) {
	o, want := w.of(e.c.Op)
	key := e.c.Key
	if e.c.Op.What == run.Do {
		if _, known := o.prior[key]; !known || o.foreign {
			o.prior[key] = o.value
		}
	}
	w.changed[key]++
	mark := markOf(e.in)
	if e.c.Op.What == run.Do {
		for _, name := range e.in.data {
			if c := w.components[name]; !strings.Contains(c.schema, mark) {
				c.schema += mark
			}
		}
	}
	if o.half = e.fate == half; o.half {
		return
	}
	w.set(o, want)
	o.foreign = false
}

func (w *world) finishBack(e *effect) {
	o, _ := w.of(e.c.Op)
	before := text(e.c.Before)
	key := doKey(e.in, e.c.Op.Member)
	if prior, known := o.prior[key]; known && prior != before {
		w.violatef("prior", "%s puts back %q, it was %q before", e.c.ID(), before, prior)
	}
	if o.half = e.fate == half; o.half {
		return
	}
	w.set(o, before)
	o.foreign = false
	delete(o.prior, key)
	w.changed[key] = 0
	if e.c.Op.What == run.Undo && e.in.step.Reversible == plan.ReversibleUndo {
		for _, name := range e.in.data {
			c := w.components[name]
			c.schema = strings.Replace(c.schema, markOf(e.in), "", 1)
		}
	}
}

func (w *world) finishBackup(e *effect) {
	w.torn[e.c.Key] = e.fate == half
	for _, name := range e.in.step.Covers {
		c := w.components[name]
		w.touch(c)
		s := &snapshot{
			stage: e.in.stage, component: name, schema: c.schema, writes: e.writes[name], online: e.in.step.Online,
			proved: e.fate == full,
		}
		w.snapshots[e.in.stage+"/"+e.in.step.ID] = s
	}
}

func (w *world) finishRestore(e *effect) {
	c := w.components[e.c.Op.Component]
	w.torn[e.c.Key] = e.fate == half
	if e.fate == half {
		c.schema += "~"
		return
	}
	s := w.snapshots[e.c.Op.Stage+"/"+e.c.Op.Step]
	if s == nil {
		return
	}
	c.schema, c.writes = s.schema, s.writes
	w.restored[e.c.Key] = true
}

// truth is what a person finds who looks for themselves, and cleans up what is
// half done.
func (w *world) truth(r run.Ref, before json.RawMessage, key string) bool {
	o, want := w.of(r)
	if o.effect != nil {
		w.finish(o.effect)
	}
	switch {
	case r.What == run.Restore:
		return w.restored[key]
	case w.info(r).step.Effect == action.Scratch:
		s := w.snapshots[r.Stage+"/"+r.Step]
		return s != nil && s.proved
	}
	if o.half {
		w.tidy(o, r)
	}
	if r.What == run.Do || r.What == run.Retake {
		return o.value == want && !o.foreign // Else somebody else has set it.
	}
	return o.value == text(before)
}

// tidy lets a person take back by hand what is half done.
func (w *world) tidy(o *object, r run.Ref) {
	o.half = false
	in := w.info(r)
	undone := r.What == run.Undo && in.step.Reversible == plan.ReversibleUndo && o.value == o.prior[doKey(in, r.Member)]
	if r.What != run.Do && !undone {
		return // What was begun to be put back is put back by the next attempt.
	}
	delete(o.prior, doKey(in, r.Member))
	w.changed[doKey(in, r.Member)] = 0
	for _, name := range in.data {
		if !slices.ContainsFunc([]string{"x", "y"}, func(m string) bool { return w.changed[doKey(in, m)] > 0 }) {
			c := w.components[name]
			c.schema = strings.Replace(c.schema, markOf(in), "", 1)
		}
	}
}

// lasts returns how long an effect takes.
func (w *world) lasts(in *info, hangs bool) time.Duration {
	limit := time.Duration(in.step.Timeout)
	if hangs {
		return w.d.span(limit, 3*limit)
	}
	return w.d.span(time.Second, limit*3/4)
}

// BreachError is a broken invariant.
type BreachError struct{ Name, Text string }

// Error gives the name of the invariant and what has happened.
func (v *BreachError) Error() string { return fmt.Sprintf("%s: %s", v.Name, v.Text) }

// markOf is what a step leaves in the schema of the components that it changes.
// Its end keeps the marks of up1 and up19 apart.
func markOf(in *info) string { return "+" + in.want + ";" }
