package report

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// scene is a run of wikiPlan that a test leads to where it wants it.
type scene struct {
	t      *testing.T
	plan   *plan.Plan
	state  run.State
	now    time.Time
	events []run.Event
	// answer may answer a command otherwise than well; nil leaves it pending.
	answer func(c run.Command) (body run.Body, own bool)
}

// wikiPlan has two stages: one with an approval, a lease, a backup, a change
// that a restore takes back and a step that cannot be taken back, and one with
// work of a person.
func wikiPlan() *plan.Plan {
	step := func(id string, phase plan.Phase, effect action.Effect, way plan.Reversible) plan.Step {
		return plan.Step{
			ID: id, Phase: phase, Action: "exec.command@1", Effect: effect, Reversible: way, OnFailure: "halt",
			Description: "Does " + id + ".",
		}
	}
	logins := step("logins-off", plan.Quiesce, action.Mutating, plan.ReversibleUndo)
	logins.Lease = &plan.StepLease{Until: "stage", OnFailure: "hold"}
	logins.Quiesces = []string{"database"}
	backup := step("backup", plan.Backup, action.Mutating, plan.ReversibleNone)
	backup.Covers, backup.Proof = []string{"database"}, 3
	upgrade := step("upgrade", plan.Upgrade, action.Mutating, plan.ReversibleRestore)
	upgrade.Changes, upgrade.Retry = []string{"database"}, plan.Retry{Attempts: 3, Backoff: minutes(1)}
	upgrade.Timeout = minutes(20)
	drop := step("drop-old", plan.Cleanup, action.Mutating, plan.ReversibleNo)
	drop.Irreversibly = "the old tables are gone"
	tell := step("tell", plan.Resume, action.Mutating, plan.ReversibleUndo)
	tell.Gate, tell.Action = action.GatePerson, "manual.do@1"
	tell.With = map[string]any{"instructions": "Tell the authors.", "evidence": []any{"ticket"}}
	first := plan.Stage{
		ID: "to-2.0.0", Digest: digestOf("to 2"), OnFailure: "halt",
		Gates: []plan.Gate{{
			Kind: "approval", Name: "approval", Reason: "Nobody can write for some minutes.", By: []string{"ada", "owners"},
			Count: 2,
		}},
		Expects: []plan.Expect{{Fact: "release.value.version", Value: "1.2.0", Declared: true}},
		Steps: []plan.Step{
			step("unpacked", plan.Preflight, action.ReadOnly, plan.ReversibleNone), logins, backup, upgrade,
			step("answers", plan.Verify, action.ReadOnly, plan.ReversibleNone),
		},
		Coverage: []plan.Coverage{{
			Component: "database", ChangedBy: []string{"upgrade"}, Backups: []string{"backup"}, Proof: 3,
		}},
		Abort: &plan.Abort{Steps: []plan.Step{step("abort/serve-old", plan.Upgrade, action.Mutating, plan.ReversibleUndo)}},
	}
	second := plan.Stage{
		ID: "to-2.4.1", Digest: digestOf("to 2.4"), OnFailure: "halt",
		Steps: []plan.Step{step("install", plan.Upgrade, action.Mutating, plan.ReversibleUndo), tell, drop},
	}
	return &plan.Plan{
		Digest: digestOf("wiki plan"), Platform: "wiki-prod", Procedure: plan.ProcedureRef{Name: "wiki"},
		Path: &plan.Path{From: "1.2.0", To: "2.4.1", Hops: []plan.Hop{
			{From: "1.2.0", To: "2.0.0"}, {From: "2.0.0", To: "2.4.1"},
		}},
		Stages: []plan.Stage{first, second},
		Summary: plan.Summary{Stages: []plan.StageSummary{
			{ID: "to-2.0.0", Duration: estimate(8, 20), Downtime: []plan.Downtime{
				{Component: "database", Typical: minutes(8), Worst: minutes(20), Known: true},
			}},
			{ID: "to-2.4.1", Duration: estimate(3, 6)},
		}, Downtime: []plan.Downtime{{Component: "database", Typical: minutes(8), Worst: minutes(20), Known: true}}},
	}
}

// newScene starts a run of p.
func newScene(t *testing.T, p *plan.Plan) *scene {
	t.Helper()
	s := &scene{
		t: t, plan: p, state: run.New(p, "wiki-prod-1"), now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC),
		answer: func(run.Command) (run.Body, bool) { return nil, false },
	}
	return s
}

// begin puts the first event down.
func (s *scene) begin() *scene {
	s.t.Helper()
	s.event(&run.Started{Digest: s.plan.Digest, Owner: "ada@laptop", Epoch: 1, Parallel: 2})
	return s
}

// event folds an event in; half a minute passes before each.
func (s *scene) event(body run.Body) *scene {
	s.t.Helper()
	s.now = s.now.Add(30 * time.Second)
	e := run.Event{Seq: s.state.Seq + 1, At: s.now, Body: body}
	next, err := run.Advance(s.state, e)
	if err != nil {
		s.t.Fatalf("event %T: %v", body, err)
	}
	s.state = next
	s.events = append(s.events, e)
	return s
}

// goOn answers commands until nothing is left that has an answer.
func (s *scene) goOn() *scene {
	s.t.Helper()
	for range 10_000 {
		moved := false
		for _, c := range run.Pending(s.state) {
			body, own := s.answer(c)
			if !own {
				body = wellDone(c)
			}
			if body != nil {
				s.event(body)
				moved = true
				break
			}
		}
		if !moved {
			return s
		}
	}
	s.t.Fatal("the run does not come to rest")
	return s
}

// wellDone answers a command as a world does in which all goes well.
func wellDone(c run.Command) run.Body {
	facts := digestOf("facts")
	switch c := any(c).(type) {
	case run.CheckStage:
		return &run.StageChecked{Stage: c.Stage, Turn: c.Turn, Back: c.Back, Facts: facts}
	case run.AskWindow:
		return &run.WindowAnswered{Stage: c.Stage, Turn: c.Turn, Open: true}
	case run.Resolve:
		if c.Step == "tell" {
			return &run.StepResolved{Stage: c.Stage, Step: c.Step, Terms: &run.Terms{
				Kind: run.WaitPerson, Question: "Tell the authors.",
			}}
		}
		return &run.StepResolved{Stage: c.Stage, Step: c.Step}
	case run.ObserveOperation:
		status := "notStarted"
		if c.Attempted || c.Op.Step == "unpacked" || c.Op.Step == "answers" {
			status = "done"
		}
		return &run.Observed{Op: c.Op, Turn: c.Turn, Status: status, Before: json.RawMessage(`{"version":"1.2.0"}`)}
	case run.StartOperation:
		return &run.OperationStarted{Op: c.Op, Attempt: c.Attempt, Key: c.Key, Before: c.Before}
	case run.PerformOperation:
		return &run.OperationEnded{Op: c.Op, Attempt: c.Attempt, OK: true, Output: json.RawMessage(`{"stdout":"ok"}`)}
	case run.MatchIssues:
		return &run.IssuesMatched{Op: c.Op, Turn: c.Turn}
	case run.Timer:
		return nil // Time does not pass by itself here.
	default:
		return nil
	}
}

// approve passes the gate of a stage with two persons.
func (s *scene) approve() *scene {
	s.t.Helper()
	st := &s.plan.Stages[s.state.Stage]
	name := "approval"
	if st.ID == "to-2.4.1" {
		name = "point-of-no-return"
	}
	for _, by := range []string{"ada@laptop", "bob@desk"} {
		if s.state.Stages[s.state.Stage].Gates[0].Passed {
			break
		}
		s.event(&run.Approved{
			Who:  run.Who{By: by, From: "pts/1", Groups: []string{"owners"}, Reason: "It is night."},
			Gate: run.GateRef{Stage: st.ID, Name: name}, Digest: st.Digest, Facts: s.state.Stages[s.state.Stage].Facts,
		})
	}
	return s
}

// source is what a view of the scene is made from.
func (s *scene) source(owned bool) RunSource {
	s.t.Helper()
	info := RunInfo{
		ID: "wiki-prod-1", Platform: "wiki-prod", Digest: s.plan.Digest, Status: s.state.Status, By: "ada@laptop",
		Created: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), Updated: s.now, Events: s.state.Seq,
		Head: digestOf("head"), Dir: "/srv/wiki",
	}
	if owned {
		info.Owner = &RunOwner{Host: "laptop", PID: 4711, By: "ada@laptop", Since: info.Created}
	}
	state, err := s.state.Clone()
	if err != nil {
		s.t.Fatal(err)
	}
	return RunSource{Info: info, State: state, Now: s.now.Add(90 * time.Second)}
}

// performing tells whether a command carries out a step.
func performing(c run.Command, step string) (run.PerformOperation, bool) {
	p, ok := c.(run.PerformOperation)
	return p, ok && p.Op.What == run.Do && p.Op.Step == step
}
