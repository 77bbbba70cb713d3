package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// world is what Refit acts on: objects with a value each, and components with
// data that users write to.
type world struct {
	d          *dice
	plan       *plan.Plan
	infos      map[string]*info
	objects    map[string]*object
	components map[string]*component
	// snapshots are the backups by the step that made them.
	snapshots map[string]*snapshot
	// restored and torn restores, by key.
	restored, torn map[string]bool
	// begun counts the attempts that began, by key; changed those that have
	// changed the world.
	begun, changed map[string]int
	// baselines are the values of the objects and the schemas when a stage was begun.
	baselines map[int]*baseline
	// factsOff is how many facts are not as the stages expect; factsTurn
	// changes the digest of the facts.
	factsOff  bool
	factsTurn int
	// unreachable is until when targets cannot be asked, and why.
	unreachable time.Duration
	cause       run.Wait
	// meddled counts the changes of others.
	meddled int
	// broken is the first invariant that the world saw violated.
	broken error
}

// info is a step of the plan with what it does to the world.
type info struct {
	step  *plan.Step
	at    run.Place
	stage string
	abort bool
	// lease tells that its value is one that others set too.
	want, object string
	data         []string // stateful components that it may damage
	dependents   []*info
}

type object struct {
	name  string
	value string
	half  bool
	// foreign tells that somebody else set the value.
	foreign bool
	effect  *effect
	// data tells that a step changes data with it.
	data bool
	// quiesces are the components that nobody writes to while it is off.
	quiesces []string
	// prior is what each step found, by its key.
	prior map[string]string
}

type component struct {
	name     string
	writes   int
	schema   string
	quiesced []*object
	// tainted tells that somebody else took a quiesce away.
	tainted bool
}

// snapshot is a backup.
type snapshot struct {
	stage, component, schema string
	writes                   int
	proved, online           bool
}

// baseline is how the world has to be after a rollback; original is how it was.
type baseline struct {
	objects, original map[string]string
	schemas           map[string]string
	half              map[string]bool
}

const off = "off"

func newWorld(p *plan.Plan, d *dice) *world {
	w := &world{
		d: d, plan: p, infos: map[string]*info{}, objects: map[string]*object{}, components: map[string]*component{},
		snapshots: map[string]*snapshot{}, restored: map[string]bool{}, torn: map[string]bool{},
		begun: map[string]int{}, changed: map[string]int{}, baselines: map[int]*baseline{},
	}
	for _, c := range p.Components {
		w.components[c.Name] = &component{name: c.Name, schema: "v0"}
	}
	w.learnAll()
	return w
}

// learnAll learns what the steps of the plan do.
func (w *world) learnAll() {
	p, stateful := w.plan, map[string]bool{}
	for _, c := range p.Components {
		stateful[c.Name] = c.Kind != "service"
	}
	for i := range p.Stages {
		st := &p.Stages[i]
		w.learn(st.ID, i, st.Steps, stateful, false)
		if st.Abort != nil {
			w.learn(st.ID+plan.AbortSuffix, i+len(p.Stages), st.Abort.Steps, stateful, true)
		}
	}
}

func (w *world) learn(stage string, at int, steps []plan.Step, stateful map[string]bool, abort bool) {
	for j := range steps {
		s := &steps[j]
		in := &info{step: s, at: run.Place{Stage: at, Step: j}, stage: stage, abort: abort, want: stage + "/" + s.ID}
		in.object, _ = s.With["object"].(string)
		if s.Lease != nil {
			in.want = off
		}
		for _, c := range s.Changes {
			if stateful[c] {
				in.data = append(in.data, c)
				w.object(in.object).data = true
			}
		}
		w.quiesces(in)
		for _, need := range s.Needs {
			if n := w.infos[stage+"/"+need]; n != nil {
				n.dependents = append(n.dependents, in)
			}
		}
		w.infos[stage+"/"+s.ID] = in
	}
}

// quiesces notes which components a step keeps users from.
func (w *world) quiesces(in *info) {
	for _, c := range in.step.Quiesces {
		o := w.object(in.object)
		if !slices.Contains(o.quiesces, c) {
			o.quiesces = append(o.quiesces, c)
		}
		if !slices.Contains(w.components[c].quiesced, o) {
			w.components[c].quiesced = append(w.components[c].quiesced, o)
		}
	}
}

func (w *world) object(name string) *object {
	o := w.objects[name]
	if o == nil {
		o = &object{name: name, value: "v0", prior: map[string]string{}}
		w.objects[name] = o
	}
	return o
}

func (w *world) info(r run.Ref) *info { return w.infos[r.Stage+"/"+r.Step] }

// of returns the object of an operation, and the value that its step sets.
func (w *world) of(r run.Ref) (*object, string) {
	in := w.info(r)
	if r.Member == "" {
		return w.object(in.object), in.want
	}
	return w.object(in.object + "[" + r.Member + "]"), wantOf(in, r.Member)
}

func wantOf(in *info, member string) string {
	if member == "" || in.want == off {
		return in.want
	}
	return in.want + "[" + member + "]"
}

func (w *world) violatef(name, format string, args ...any) {
	if w.broken == nil {
		w.broken = &BreachError{Name: name, Text: fmt.Sprintf(format, args...)}
	}
}

// touch lets users write to a component that is not quiesced.
func (w *world) touch(c *component) {
	if !w.quiet(c) {
		c.writes++
	}
}

func (w *world) quiet(c *component) bool {
	return slices.ContainsFunc(c.quiesced, func(o *object) bool { return o.value == off })
}

// set changes the value of an object.
func (w *world) set(o *object, value string) {
	for _, c := range o.quiesces {
		w.touch(w.components[c])
	}
	o.value = value
}

// meddle lets somebody else change an object on which nothing is under way. The
// new value is what must be there in the end. doubted tells that nobody knows what
// became of something that we did to it.
func (w *world) meddle(o *object, doubted bool) {
	w.meddled++
	theirs := fmt.Sprintf("theirs%d", w.meddled)
	value := pick(w.d, theirs, theirs, off)
	if len(o.prior) > 0 || doubted {
		value = theirs // Setting what we have set cannot be told from us.
	}
	if len(o.prior) > 0 && !o.data && w.d.oneIn(3) {
		for _, key := range slices.Sorted(maps.Keys(o.prior)) {
			value = o.prior[key] // They put back what was there.
		}
	}
	if value == o.value {
		return
	}
	if o.value == off {
		for _, c := range o.quiesces {
			w.components[c].tainted = true
		}
	}
	w.set(o, value)
	o.foreign, o.half = true, false
	for key := range o.prior {
		w.changed[key] = 0 // Nothing of ours is left there.
	}
	for _, b := range w.baselines {
		if b.objects[o.name] = value; len(o.prior) == 0 {
			b.original[o.name] = value
		}
	}
}

// mend lets a person put a target back to what was there before us, so that
// what is to be taken back is.
func (w *world) mend(o *object, was string, in *info) {
	w.set(o, was)
	if in.step.Reversible == plan.ReversibleUndo {
		for _, name := range in.data {
			c := w.components[name]
			c.schema = strings.Replace(c.schema, markOf(in), "", 1)
		}
	}
	o.foreign, o.half = false, false
	for stage, b := range w.baselines {
		if stage == in.at.Stage {
			b.objects[o.name] = was // It is what Refit names, whatever came in between.
		} else if value, ok := b.original[o.name]; ok {
			b.objects[o.name] = value
		} else {
			delete(b.objects, o.name)
		}
	}
}

// begin remembers how the world was before the first effect of a stage.
func (w *world) begin(stage int) {
	if stage >= len(w.plan.Stages) || w.baselines[stage] != nil {
		return
	}
	b := &baseline{
		objects: map[string]string{}, original: map[string]string{}, schemas: map[string]string{},
		half: map[string]bool{},
	}
	for name, o := range w.objects {
		b.objects[name], b.original[name], b.half[name] = o.value, o.value, o.half
	}
	for name, c := range w.components {
		b.schemas[name] = c.schema
	}
	w.baselines[stage] = b
}

// same tells in what the world differs from how it was when a stage began.
func (w *world) same(stage int) string {
	b := w.baselines[stage]
	if b == nil {
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(w.objects)) {
		o := w.objects[name]
		was, ok := b.objects[name]
		if !ok {
			was = "v0"
		}
		if was == off && o.value != off && w.leasedBefore(name, stage) {
			continue // A lease of an earlier stage, which the end of the run gives back.
		}
		if o.value != was || o.half && !b.half[name] {
			return fmt.Sprintf("object %s is %q (half: %t), it was %q", name, o.value, o.half, was)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.components)) {
		if c := w.components[name]; c.schema != b.schemas[name] {
			return fmt.Sprintf("component %s has %q, it had %q", name, c.schema, b.schemas[name])
		}
	}
	return ""
}

func (w *world) leasedBefore(object string, stage int) bool {
	for _, in := range w.infos {
		if in.object == object && in.step.Lease != nil && in.at.Stage < stage {
			return true
		}
	}
	return false
}

// observe answers as the contract of actions says.
func (w *world) observe(c run.ObserveOperation, now time.Duration, f *Faults) run.Body {
	e := &run.Observed{Op: c.Op, Turn: c.Turn}
	if now < w.unreachable {
		return &run.AskFailed{Op: c.Op, Turn: c.Turn, Cause: w.cause, Message: "it could not be asked"}
	}
	in := w.info(c.Op)
	if in.step.Effect == action.ReadOnly && c.Op.What == run.Do {
		e.Status, e.Output = "done", json.RawMessage(`{"ok":true}`)
		if w.d.oneIn(f.Bad) || in.step.Phase == plan.Verify && w.d.oneIn(f.Verify) {
			e.Status = pick(w.d, "failed", "unknown", "failed", "inProgress", "notStarted")
			e.Message, e.Output = "it is not as it should be", nil
		}
		return e
	}
	e.Resumable = in.step.With["rigid"] == nil || c.Op.What != run.Do
	if c.Attempted && w.d.oneIn(f.Unknown) {
		e.Status, e.Message = "unknown", "it cannot be known"
		return e
	}
	if in.step.Effect == action.Scratch && c.Op.What == run.Do || c.Op.What == run.Restore {
		w.observeData(c, e)
		return e
	}
	w.observeObject(c, e)
	if in.step.Selection != nil && c.Op.What == run.Do {
		w.choose(c, in.step.Selection, e, f)
	}
	return e
}

// observeData is about backups and restores.
func (w *world) observeData(c run.ObserveOperation, e *run.Observed) {
	o, _ := w.of(c.Op)
	done := w.restored[c.Key]
	if c.Op.What == run.Do {
		s := w.snapshots[c.Op.Stage+"/"+c.Op.Step]
		done = s != nil && s.proved
	}
	switch {
	case o.effect != nil:
		e.Status = "inProgress"
	case done:
		e.Status, e.Output = "done", json.RawMessage(`{"proof":3}`)
	case w.torn[c.Key]:
		e.Status = "partial"
	default:
		e.Status = "notStarted"
	}
}

func (w *world) observeObject(c run.ObserveOperation, e *run.Observed) {
	o, want := w.of(c.Op)
	forward := c.Op.What == run.Do || c.Op.What == run.Retake
	before := text(c.Before)
	e.Before = value(o.value)
	switch {
	case o.effect != nil:
		e.Status = "inProgress"
	case o.half:
		e.Status = "partial"
	case forward && o.value == want || !forward && o.value == before:
		e.Status, e.Output = "done", json.RawMessage(`{"ok":true}`)
	case c.Op.What == run.Do, c.Op.What == run.Retake && o.value == before, !forward && o.value == want:
		e.Status = "notStarted"
	default:
		e.Status, e.Message = run.Changed, "somebody else set "+o.value
	}
}

func value(s string) json.RawMessage {
	return json.RawMessage(strconv.Quote(s))
}

func text(data json.RawMessage) string {
	var s string
	_ = json.Unmarshal(data, &s)
	return s
}

// left lists the changes of ours that are in the world: "stage/step[member]".
func (w *world) left() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(w.infos)) {
		in := w.infos[name]
		if in.step.Effect != action.Mutating || in.step.Gate != "" {
			continue
		}
		for _, m := range []string{"", "x", "y", "2", "3"} {
			o, want := w.of(run.Ref{Stage: in.stage, Step: in.step.ID, Member: m})
			if o.value == want && !o.foreign && w.changed[doKey(in, m)] > 0 {
				out = append(out, strings.TrimSuffix(name+"["+m+"]", "[]"))
			}
		}
	}
	return out
}

// runID is the run of every case.
const runID = "r"

func doKey(in *info, member string) string {
	key := runID + "/" + in.stage + "/" + in.step.ID
	if member != "" {
		key += "[" + member + "]"
	}
	return key
}
