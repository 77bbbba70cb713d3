package sim

import (
	"container/heap"
	"errors"
	"fmt"
	"time"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
	"github.com/refitproject/refit/internal/secret"
)

// sim is one simulation.
type sim struct {
	c     Case
	f     *Faults
	d     *dice
	world *world
	judge *judge
	// state and history are what the owner has; epoch is that of the store.
	state   run.State
	history []run.Event
	// plans are those of the run by their digest, first the one that it began with;
	// extra counts the steps of the others.
	plans map[string]*plan.Plan
	first *plan.Plan
	extra int
	// met is after how many events the meeting of the case was.
	met int
	// fogged tells that its fog has come.
	fogged bool
	epoch  uint64
	// life counts the processes that have owned the run.
	life int
	// now is the true time; skew is how far the clock of the host is off.
	now, skew time.Duration
	queue     queue
	count     uint64
	// flying are the commands that are carried out, by their ID.
	flying map[string]*flight
	calm   bool
	died   bool
	mask   *secret.Redactor
	seen   *Coverage
	stats  Stats
}

// Stats is what a simulation was like.
type Stats struct {
	Steps, Events, Crashes, Stale, Late, Refused, Foreign int
	// Judged counts the events that were offered to the core: those of the history,
	// and those that it has to refuse.
	Judged  int
	End     run.Status
	Virtual time.Duration
}

// flight is a command that is being carried out.
type flight struct {
	c      run.Command
	over   bool
	effect *effect
}

// item is something that will happen.
type item struct {
	at     time.Duration
	seq    uint64
	life   int
	body   run.Body
	flight *flight
	effect *effect
	again  bool
}

//nolint:recvcheck // So does container/heap ask for it.
type queue []item

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}

func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push implements heap.Interface.
func (q *queue) Push(x any) { *q = append(*q, x.(item)) }

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// password is what must never get into an event.
const password = "hunter2-correct-horse"

// start of time.
func epochStart() time.Time { return time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC) }

func newSim(c Case, seen *Coverage) *sim {
	s := &sim{
		c: c, d: &dice{state: c.Seed ^ 0x5eed}, epoch: 1, life: 1, flying: map[string]*flight{},
		mask: secret.NewRedactor(password), seen: seen,
	}
	s.f = &s.c.Faults
	if m := c.Meeting; m != nil {
		copied := *m
		s.c.Meeting = &copied
		s.f = &copied.Before
	}
	s.world = newWorld(c.Plan, s.d)
	s.first, s.plans = c.Plan, map[string]*plan.Plan{c.Plan.Digest: c.Plan}
	s.state = run.WithPlans(run.New(c.Plan, runID), s.source)
	s.judge = newJudge(s)
	for i := range c.Plan.Stages {
		s.stats.Steps += len(c.Plan.Stages[i].Steps)
	}
	return s
}

// clock is what the host believes the time to be.
func (s *sim) clock() time.Time { return epochStart().Add(s.now + s.skew) }

func (s *sim) push(it item) {
	it.seq, it.life = s.count, s.life
	s.count++
	heap.Push(&s.queue, it)
}

// append is the store: it refuses stale owners, and records before anything is
// done because of the event.
func (s *sim) append(b run.Body) error {
	e := run.Event{Seq: uint64(len(s.history) + 1), At: s.clock(), Body: b}
	s.judge.before(e)
	taken := s.takenBack(b)
	s.stats.Judged++
	next, err := run.Advance(s.state, e)
	s.seen.note(&s.judge.was, err)
	if err != nil {
		return err
	}
	s.state = next
	s.history = append(s.history, e)
	//nolint:gochecksumtype // The others change neither plan nor world.
	switch b := b.(type) {
	case *run.Replanned:
		s.replanned()
	case *run.PersonDone:
		s.workByHand(b, taken)
	}
	return s.judge.after(e)
}

// sync starts the commands that are pending and stops those that no longer are.
func (s *sim) sync() error {
	commands := run.Pending(s.state)
	if err := s.judge.pending(commands); err != nil {
		return err
	}
	ids := s.judge.ids
	for id, f := range s.flying {
		if _, still := ids[id]; !still {
			delete(s.flying, id)
			s.stop(f)
		}
	}
	for i, c := range commands {
		id := s.judge.names[i]
		if s.flying[id] == nil {
			f := &flight{c: c}
			s.flying[id] = f
			if err := s.carryOut(f); err != nil {
				return err
			}
		}
	}
	return nil
}

// stop ends what nobody wants any more: the program is killed, or what it has
// begun elsewhere goes on.
func (s *sim) stop(f *flight) {
	f.over = true
	if f.effect != nil && !f.effect.over && !s.d.oneIn(s.f.Outlive) {
		s.kill(f.effect)
	}
}

func (s *sim) kill(e *effect) {
	e.fate = pick(s.d, half, none)
	s.world.finish(e)
}

// carryOut begins a command; its answer comes later, if at all.
func (s *sim) carryOut(f *flight) error {
	soon := s.d.span(10*time.Millisecond, 3*time.Second)
	//nolint:gochecksumtype // The others are not about this.
	switch c := f.c.(type) {
	case run.PerformOperation:
		s.perform(f, c)
	case run.Timer:
		wait := max(c.At.Sub(s.clock()), 0)
		s.push(item{at: s.now + wait, flight: f, body: &run.TimerFired{Timer: c.Timer}})
	case run.StartOperation:
		s.push(item{at: s.now + soon/100, flight: f, body: &run.OperationStarted{
			Op: c.Op, Attempt: c.Attempt, Key: c.Key, Before: c.Before,
		}})
	default:
		// Reading commands look at the world when their time has come.
		s.push(item{at: s.now + soon, flight: f})
	}
	return nil
}

// perform begins an effect and decides its fate.
func (s *sim) perform(f *flight, c run.PerformOperation) {
	e := &run.OperationEnded{Op: c.Op, Attempt: c.Attempt}
	quick := s.now + s.d.span(time.Millisecond, time.Second)
	switch {
	case s.now < s.world.unreachable && s.d.oneIn(2):
		// What cannot be asked cannot be changed either; whoever does not see it in time
		// gets no further than the connection.
		e.Extent, e.Cause, e.Message = "none", s.world.cause, "it could not be reached"
		s.push(item{at: quick, flight: f, body: e})
		return
	case s.d.oneIn(s.f.Refuse):
		e.Extent, e.Retryable, e.Message = "none", !s.d.oneIn(4), s.mask.Text("refused: "+password)
		s.push(item{at: quick, flight: f, body: e})
		return
	case s.d.oneIn(s.f.Vanish):
		if s.d.oneIn(2) {
			e.Extent, e.Message = "unknown", "connection refused"
			s.push(item{at: quick, flight: f, body: e})
		}
		return
	}
	in := s.world.info(c.Op)
	what := full
	if s.d.oneIn(s.f.Half) {
		what = half
	}
	hangs := s.d.oneIn(s.f.Hang)
	f.effect = s.world.start(c, what)
	end := s.now + s.world.lasts(in, hangs)
	s.push(item{at: end, effect: f.effect, life: -1})
	if s.d.oneIn(s.f.Lost) {
		return
	}
	switch {
	case what == half:
		e.Extent, e.Retryable, e.Message = pick(s.d, "partial", "unknown"), !s.d.oneIn(4), "it broke off"
	case s.d.oneIn(s.f.Lie):
		e.Extent, e.Retryable, e.Message = pick(s.d, "unknown", "partial", "done"), !s.d.oneIn(4), "connection reset"
	default:
		e.OK, e.Output = true, []byte(`{"ok":true}`)
	}
	s.push(item{at: end + s.latency(), flight: f, body: e})
}

// latency is how long an answer takes.
func (s *sim) latency() time.Duration {
	if s.d.oneIn(s.f.Late) {
		return s.d.span(time.Minute, 20*time.Minute)
	}
	return s.d.span(time.Millisecond, 200*time.Millisecond)
}

// happen lets the next item happen.
func (s *sim) happen() error {
	it := heap.Pop(&s.queue).(item)
	s.now = max(s.now, it.at)
	if it.effect != nil {
		s.world.finish(it.effect)
		return nil
	}
	if it.life != s.life {
		s.stats.Stale++ // The store refuses the owner of an earlier epoch.
		return nil
	}
	body := it.body
	if body == nil {
		if it.flight.over && (s.d.oneIn(2) || s.gone(it.flight.c)) {
			return nil // Nobody asked to the end.
		}
		if body = s.answer(it.flight.c); body == nil {
			return fmt.Errorf("nobody carries out %T", it.flight.c)
		}
		if _, asks := body.(*run.AskFailed); !asks && s.d.oneIn(s.f.Late) {
			it.at, it.body = s.now+s.latency(), body
			s.push(it)
			return nil
		}
	}
	if _, start := body.(*run.OperationStarted); start && it.flight.over {
		return nil // It is no longer wanted: rule 1.
	}
	return s.deliver(it, body)
}

// deliver appends an answer. It counts exactly when its command is pending.
func (s *sim) deliver(it item, body run.Body) error {
	if s.dies(true) {
		return s.crash()
	}
	wanted := !it.flight.over && !it.again
	err := s.append(body)
	switch {
	case err == nil && !wanted:
		return &BreachError{"late", fmt.Sprintf("an answer to %s counted, which nobody waits for", it.flight.c.ID())}
	case err != nil && wanted:
		return keep(err, &BreachError{"pending", fmt.Sprintf("%s is pending, its answer: %v", it.flight.c.ID(), err)})
	case err != nil && !errors.Is(err, run.ErrStale):
		if v := (*BreachError)(nil); errors.As(err, &v) {
			return err
		}
		if _, start := body.(*run.OperationStarted); !start {
			return &BreachError{"late", fmt.Sprintf("a late answer to %s: %v", it.flight.c.ID(), err)}
		}
	}
	if err != nil {
		s.stats.Late++
		return nil //nolint:nilerr // A late answer is dropped.
	}
	if s.d.oneIn(s.f.Twice) {
		s.push(item{at: s.now + s.latency(), flight: it.flight, body: body, again: true})
	}
	if s.dies(false) {
		return s.crash()
	}
	return s.sync()
}

// keep returns err when it is a violation, else other.
func keep(err error, other *BreachError) error {
	if v := (*BreachError)(nil); errors.As(err, &v) {
		return err
	}
	return other
}

// dies tells whether the host dies at this boundary.
func (s *sim) dies(before bool) bool {
	n := uint64(len(s.history))
	if before {
		n++
	}
	if !s.died && s.c.CrashAt == n && s.c.CrashBefore == before {
		s.died = true
		return true
	}
	return s.d.oneIn(s.f.Crash) && s.d.oneIn(4)
}

// crash lets another process take over. Effects die with the old one or go on.
func (s *sim) crash() error {
	s.stats.Crashes++
	for _, id := range sortedKeys(s.flying) {
		f := s.flying[id]
		if f.effect != nil && !f.effect.over && !s.d.oneIn(s.f.Outlive) {
			s.kill(f.effect)
		}
		delete(s.flying, id)
		f.over = true
	}
	old := s.life
	s.life++
	if !s.d.oneIn(s.f.Stale) { // The dead stay dead.
		s.queue = survivors(s.queue, old)
	}
	s.now += s.d.span(time.Second, 10*time.Minute)
	if err := s.judge.reload(); err != nil {
		return err
	}
	if s.d.oneIn(2) {
		if err := s.append(&run.OwnerChanged{Owner: "old", Epoch: s.epoch}); !errors.Is(err, run.ErrInvalidTransition) {
			return &BreachError{"epoch", fmt.Sprintf("an owner with the old epoch took over: %v", err)}
		}
	}
	s.epoch++
	if s.state.Status == run.Planned {
		return s.begin()
	}
	if err := s.append(&run.OwnerChanged{Owner: fmt.Sprintf("host%d", s.life), Epoch: s.epoch}); err != nil {
		return keep(err, &BreachError{"pending", fmt.Sprintf("a new owner cannot take over: %v", err)})
	}
	return s.sync()
}

// survivors removes what a dead process would still have done. Effects and the
// ends that they come to are not the process's.
func survivors(q queue, life int) queue {
	kept := q[:0]
	for _, it := range q {
		if it.life != life || it.effect != nil {
			kept = append(kept, it)
		}
	}
	heap.Init(&kept)
	return kept
}

func (s *sim) begin() error {
	if err := s.judge.impossible(); err != nil {
		return err
	}
	err := s.append(&run.Started{
		Digest: s.c.Plan.Digest, Owner: "host1", Epoch: s.epoch, Parallel: s.c.Parallel, Until: s.c.Until,
	})
	if err != nil {
		return keep(err, &BreachError{"pending", fmt.Sprintf("the run cannot start: %v", err)})
	}
	return s.sync()
}
