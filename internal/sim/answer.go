package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// answer carries out a command that reads.
func (s *sim) answer(c run.Command) run.Body {
	switch c := c.(type) {
	case run.CheckStage:
		return s.checkStage(c)
	case run.AskWindow:
		return s.window(c)
	case run.Resolve:
		return s.resolve(c)
	case run.ObserveOperation:
		return s.world.observe(c, s.now, s.f)
	case run.MatchIssues:
		e := &run.IssuesMatched{Op: c.Op, Turn: c.Turn}
		if s.d.oneIn(s.f.Benign) {
			in := s.world.info(c.Op)
			e.Issues = []run.Issue{{ID: "known", Benign: in.step.Effect == action.ReadOnly && s.d.oneIn(2)}}
		} else if s.d.oneIn(s.f.Benign) {
			e.Issues = []run.Issue{{ID: locked, Remedy: "remove the lock"}}
		}
		return e
	case run.EvaluateCondition:
		return &run.ConditionAnswered{Gate: c.Gate, Turn: c.Turn, Holds: !s.d.oneIn(s.f.Bad)}
	case run.ObserveSoak:
		return &run.SoakObserved{Gate: c.Gate, Turn: c.Turn, Healthy: !s.d.oneIn(s.f.Bad)}
	case run.StartOperation, run.PerformOperation, run.Timer:
		return nil
	}
	return nil
}

func (s *sim) checkStage(c run.CheckStage) run.Body {
	if s.now < s.world.unreachable {
		return &run.StageAskFailed{
			Stage: c.Stage, Turn: c.Turn, Back: c.Back, Cause: s.world.cause, Message: "it could not be asked",
		}
	}
	e := &run.StageChecked{Stage: c.Stage, Turn: c.Turn, Back: c.Back, Facts: s.facts()}
	if s.world.factsOff {
		e.Changed = []run.Change{{Name: pick(s.d, "fact/release.version", "target/cluster"), Want: "1", Got: "2"}}
	}
	if c.Back {
		return e
	}
	switch {
	case s.d.oneIn(s.f.Bad):
		e.Findings = []plan.Finding{{
			Name: "requirement/kubernetes", Outcome: pick(s.d, plan.Fail, plan.UnknownOutcome), Reason: "TooOld",
			Message: s.mask.Text("too old: " + password),
		}}
	case s.d.oneIn(2):
		e.Findings = []plan.Finding{{Name: "requirement/kubernetes", Outcome: plan.Pass, Reason: "Fits"}}
	}
	return e
}

func (s *sim) facts() string { return fmt.Sprintf("sha256:facts%d", s.world.factsTurn) }

// window is open for the time that the plan says, then closed for a day.
func (s *sim) window(c run.AskWindow) run.Body {
	e := &run.WindowAnswered{Stage: c.Stage, Turn: c.Turn}
	i := slices.IndexFunc(s.c.Plan.Stages, func(st plan.Stage) bool { return st.ID == c.Stage })
	w := s.c.Plan.Stages[i].Windows[0]
	length := time.Duration(w.Duration)
	cycle := length + 24*time.Hour
	since := s.clock().Sub(epochStart().Add(-cycle * 100))
	into := since % cycle
	if s.d.oneIn(s.f.Never) {
		e.Never = "no window opens any more"
		return e
	}
	if e.Open = into < length; e.Open {
		e.ClosesAt, e.OnClose = s.clock().Add(length-into), w.OnClose
	} else {
		e.OpensAt = s.clock().Add(cycle - into)
	}
	return e
}

func (s *sim) resolve(c run.Resolve) run.Body {
	e := &run.StepResolved{Stage: c.Stage, Step: c.Step, Turn: c.Turn}
	in := s.world.infos[c.Stage+"/"+c.Step]
	switch {
	case s.d.oneIn(s.f.Broken):
		e.Error = "no such key: x"
	case in.step.When != "" && s.d.oneIn(2):
		e.Skip = "its condition does not hold"
	case in.step.ForEach != nil:
		for _, m := range []string{"x", "y", "z", "w"}[:pick(s.d, 0, 1, 2, 2, 2)] {
			e.Members = append(e.Members, run.Member{Key: m, With: value(m)})
		}
		if s.d.oneIn(s.f.Broken) {
			e.Members = []run.Member{{Key: "x"}, {Key: "y"}, {Key: "z"}, {Key: "w"}}
		}
	case in.step.Gate != "":
		e.Terms = &run.Terms{Kind: run.Wait(in.step.Gate), Question: "ok?", Count: 1 + s.d.below(2)}
		if in.step.Gate == action.GateSoak {
			e.Terms.For, e.Terms.Every = plan.Duration(3*time.Minute), plan.Duration(time.Minute)
		}
	default:
		e.With = value("resolved")
	}
	return e
}
