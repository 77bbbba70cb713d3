package run_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// TestScripts carries out testdata/*.txt; -rewrite writes what comes out into
// them. One file tells one situation. The commands:
//
//	plan          the plan, in short, and a run of it that has started
//	wait          lets time pass
//	keep          another plan, which the host keeps
//	auto [until=] answers what is pending as a world without faults does, but
//	              timers, until the ID of a pending command has this prefix
//	event         one event per line: its type and its data
//	fire          fires the pending timers, in their order
//	late          time passes
//	crash         another owner takes over, with the state read from JSON
//	pending       the IDs of what is pending
//	commands      what the host is asked for, as JSON
//	gates         the gates that wait for people
//	state         run, stage parts, steps, findings
//	summary       what people are told
func TestScripts(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		t.Helper()
		s := &script{t: t}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			t.Helper()
			s.out.Reset()
			s.t = t
			s.command(d)
			return s.out.String()
		})
	})
}

type script struct {
	t     *testing.T
	state run.State
	world *world
	now   time.Time
	epoch uint64
	plans map[string]*plan.Plan
	out   strings.Builder
}

func (s *script) sayf(format string, args ...any) { fmt.Fprintf(&s.out, format+"\n", args...) }

func (s *script) command(d *datadriven.TestData) {
	switch d.Cmd {
	case "plan":
		s.plan(d)
	case "wait":
		gap, err := time.ParseDuration(d.CmdArgs[0].Key)
		if err != nil {
			s.t.Fatal(err)
		}
		s.now = s.now.Add(gap)
	case "keep":
		p, err := parsePlan(d.Input)
		if err != nil {
			s.t.Fatal(err)
		}
		s.plans[p.Digest] = p
		s.sayf("%s", p.Digest)
	case "auto":
		s.auto(d)
	case "event":
		for line := range strings.Lines(d.Input) {
			name, data, _ := strings.Cut(strings.TrimSpace(line), " ")
			e, err := run.DecodeEvent(fmt.Appendf(nil, `{"seq":1,"at":"2026-01-01T00:00:00Z","type":%q,"data":%s}`, name+"@1", orObject(data)))
			if err != nil {
				s.t.Fatal(err)
			}
			s.record(e.Body, false)
		}
		s.sayf("%s", s.state.Status)
	case "fire":
		for _, c := range run.Pending(s.state) {
			if timer, ok := c.(run.Timer); ok {
				s.fire(timer)
			}
		}
		s.sayf("%s", s.state.Status)
	case "late":
		wait, err := time.ParseDuration(d.CmdArgs[0].Key)
		if err != nil {
			s.t.Fatal(err)
		}
		s.now = s.now.Add(wait)
	case "crash":
		var err error
		if s.state, err = roundTrip(s.state, s.source); err != nil {
			s.t.Fatal(err)
		}
		s.epoch++
		s.record(&run.OwnerChanged{Owner: "other", Epoch: s.epoch}, false)
		s.pending()
	case "pending":
		s.pending()
	case "commands":
		for _, c := range run.Pending(s.state) {
			s.json(c)
		}
	case "gates":
		for _, g := range s.state.Gates() {
			s.json(g)
		}
	case "state":
		s.steps()
	case "summary":
		data, err := json.MarshalIndent(run.Summarize(s.state), "", " ")
		if err != nil {
			s.t.Fatal(err)
		}
		s.sayf("%s", data)
	default:
		s.t.Fatalf("unknown command %q", d.Cmd)
	}
}

func orObject(data string) string {
	if data == "" {
		return "{}"
	}
	return data
}

func (s *script) plan(d *datadriven.TestData) {
	p, err := parsePlan(d.Input)
	if err != nil {
		s.t.Fatal(err)
	}
	s.state, s.world, s.epoch = run.New(p, "r"), newWorld(p, 0), 1
	s.plans = map[string]*plan.Plan{p.Digest: p}
	s.state = run.WithPlans(s.state, s.source)
	s.now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	parallel := 4
	d.MaybeScanArgs(s.t, "parallel", &parallel)
	var until string
	d.MaybeScanArgs(s.t, "until", &until)
	s.record(&run.Started{Digest: p.Digest, Owner: "one", Epoch: 1, Parallel: parallel, Until: until}, false)
	s.pending()
}

func (s *script) json(v any) {
	data, err := json.Marshal(v)
	if err != nil {
		s.t.Fatal(err)
	}
	s.sayf("%s", data)
}

func (s *script) source(digest string) (*plan.Plan, error) {
	if p := s.plans[digest]; p != nil {
		return p, nil
	}
	return nil, errors.New("it is not kept")
}

// auto answers everything but timers.
func (s *script) auto(d *datadriven.TestData) {
	until := ""
	d.MaybeScanArgs(s.t, "until", &until)
	until = strings.ReplaceAll(until, "_", " ")
	for range 500 {
		var next run.Command
		for _, c := range run.Pending(s.state) {
			if until != "" && strings.HasPrefix(c.ID(), until) {
				s.sayf("%s", s.state.Status)
				return
			}
			if _, timer := c.(run.Timer); !timer && next == nil {
				next = c
			}
		}
		if next == nil {
			s.sayf("%s", s.state.Status)
			return
		}
		body, _ := s.world.answer(next, s.now)
		s.record(body, true)
	}
	s.t.Fatal("it goes on for ever")
}

func (s *script) fire(timer run.Timer) {
	for _, c := range run.Pending(s.state) {
		if c.ID() == timer.ID() {
			if timer.At.After(s.now) {
				s.now = timer.At
			}
			s.record(&run.TimerFired{Timer: timer.Timer}, false)
			s.sayf("%s", timer.ID())
			return
		}
	}
}

// record appends an event; tell prints the starts and ends of effects.
func (s *script) record(b run.Body, tell bool) {
	s.now = s.now.Add(time.Second)
	next, err := run.Advance(s.state, run.Event{Seq: s.state.Seq + 1, At: s.now, Body: b})
	if err != nil {
		s.sayf("error: %v", err)
		return
	}
	s.state = next
	s.world.plan = next.Plan()
	if e, ok := b.(*run.OperationStarted); ok && tell {
		s.sayf("  start %s %s", e.Op.What, where(e.Op))
	}
	if e, ok := b.(*run.Observed); ok && tell && s.world.step(e.Op).Effect == "readOnly" {
		s.sayf("  read %s", where(e.Op))
	}
}

func (s *script) pending() {
	for _, c := range run.Pending(s.state) {
		if timer, ok := c.(run.Timer); ok {
			s.sayf("%s in %s", c.ID(), timer.At.Sub(s.now))
			continue
		}
		s.sayf("%s", c.ID())
	}
	if len(run.Pending(s.state)) == 0 {
		s.sayf("nothing")
	}
}

func (s *script) steps() {
	s.sayf("%s %s", s.state.Status, s.state.Reason)
	for i := range s.state.Stages {
		if s.state.Stages[i].Part == run.PartAhead {
			continue
		}
		stages := s.state.Plan().Stages
		list, id := stages[i%len(stages)].Steps, stages[i%len(stages)].ID
		if i >= len(stages) {
			list, id = stages[i-len(stages)].Abort.Steps, id+"/abort"
		}
		s.sayf("%s: %s", id, s.state.Stages[i].Part)
		for j, st := range s.state.Stages[i].Steps {
			text := string(st.Status)
			if st.Wait != "" {
				text += "(" + string(st.Wait) + ")"
			}
			if st.Lease != nil && st.Lease.Held {
				text += " held"
			}
			s.sayf("  %s %s", list[j].ID, strings.TrimSpace(text+" "+st.Reason+" "+st.Message))
		}
	}
	for _, f := range s.state.Findings {
		accepted := ""
		if f.Accepted != nil {
			accepted = " accepted by " + f.Accepted.By
		}
		s.sayf("finding %s %s: %s %s%s", f.Name, f.Outcome, f.Reason, f.Message, accepted)
	}
}
