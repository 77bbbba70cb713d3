package service

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/run"
)

// GateQuery names a gate of a run. Without a stage it is the only gate that
// waits for that; the stage "rollback" stands for the approval of a rollback.
type GateQuery struct{ Run, Stage, Name string }

// rollbackGate is what the approval of a rollback is called.
const rollbackGate = "rollback"

// Gate returns what somebody approves, refuses or has done. kind is "approval",
// "person", or empty for both.
func (s *Service) Gate(ctx context.Context, q GateQuery, kind string) (*report.ApprovalView, error) {
	src, v, err := s.view(ctx, q.Run)
	if err != nil {
		return nil, err
	}
	if v.AsksForRollback() && kind != "person" && (q.Stage == "" || q.Stage == rollbackGate) {
		a := report.BuildRollbackApproval(src, v)
		return &a, nil
	}
	fits, known := fitting(v.Gates, &q, kind)
	switch {
	case len(fits) == 1:
		a := report.BuildApproval(src, v, fits[0])
		return &a, nil
	case len(fits) > 1:
		return nil, usageErrorf("%d gates wait", len(fits)).suggest("name one: %s", someOf(known))
	case len(known) > 0:
		return nil, usageErrorf("no gate %q waits", strings.TrimSpace(q.Stage+" "+q.Name)).
			suggest("these do: %s", someOf(known))
	default:
		return nil, usageErrorf("no gate of run %q waits for that: it is %s, %s", q.Run, v.Status, v.Headline)
	}
}

// fitting returns the gates of a kind that a query names, and the names of all
// of that kind. One name may be that of a stage or that of a gate.
func fitting(gates []report.GateView, q *GateQuery, kind string) (fits []report.GateView, known []string) {
	for _, g := range gates {
		if kind != "" && string(g.Kind) != kind {
			continue
		}
		known = append(known, g.Stage+" "+g.Name)
		stage := q.Stage == "" || q.Stage == g.Stage || q.Name == "" && q.Stage == g.Name
		if stage && (q.Name == "" || q.Name == g.Name) {
			fits = append(fits, g)
		}
	}
	return fits, known
}

// Approve passes a gate, or permits a rollback, for exactly what a view shows.
// Digest is what the person has typed, "" when they have seen the view.
func (s *Service) Approve(ctx context.Context, a *report.ApprovalView, digest, reason string) (*report.RunView, error) {
	g := &a.Gate
	if digest != "" && !sameDigest(g.Named(), digest) {
		return nil, usageErrorf("%s has the digest %s, not %s: nothing was approved", a.Subject(), g.Named(), digest).
			suggest("look at it again with refit status %s", a.Run)
	}
	return s.ask(ctx, a.Run, reason, func(w run.Who) run.Body {
		if a.Rollback {
			return &run.RollbackApproved{Who: w, Digest: g.Digest}
		}
		w.Groups = named(w.Groups, g.From)
		return &run.Approved{Who: w, Gate: refOf(g), Digest: g.Digest, Facts: g.Facts, Selection: g.Selection}
	})
}

// named keeps the groups that a gate names: others are nobody's business.
func named(groups, from []string) []string {
	return slices.DeleteFunc(slices.Clone(groups), func(g string) bool { return !slices.Contains(from, g) })
}

func refOf(g *report.GateView) run.GateRef {
	if g.Step {
		return run.GateRef{Stage: g.Stage, Step: g.Name}
	}
	return run.GateRef{Stage: g.Stage, Name: g.Name}
}

// Reject refuses at a gate.
func (s *Service) Reject(ctx context.Context, a *report.ApprovalView, reason string) (*report.RunView, error) {
	if a.Rollback {
		return s.Cancel(ctx, a.Run, reason)
	}
	return s.ask(ctx, a.Run, reason, func(w run.Who) run.Body {
		w.Groups = named(w.Groups, a.Gate.From)
		return &run.Rejected{Who: w, Gate: refOf(&a.Gate)}
	})
}

// Done tells that a person has done the work that a gate waits for, with the
// values that it asks for.
func (s *Service) Done(
	ctx context.Context, a *report.ApprovalView, evidence map[string]string, reason string,
) (*report.RunView, error) {
	for _, name := range a.Gate.Evidence {
		if evidence[name] == "" {
			return nil, usageErrorf("%s of stage %s asks for %q", a.Gate.Name, a.Gate.Stage, name).
				suggest("add %s=VALUE", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(evidence)) {
		if !slices.Contains(a.Gate.Evidence, name) {
			hint := "it asks for nothing"
			if len(a.Gate.Evidence) > 0 {
				hint = nearestOf(name, a.Gate.Evidence)
			}
			return nil, usageErrorf("%s of stage %s does not ask for %q", a.Gate.Name, a.Gate.Stage, name).
				suggest("%s", hint)
		}
	}
	var data json.RawMessage
	if len(evidence) > 0 {
		var err error
		if data, err = json.Marshal(evidence); err != nil {
			return nil, fmt.Errorf("write the evidence: %w", err)
		}
	}
	return s.ask(ctx, a.Run, reason, func(w run.Who) run.Body {
		w.Groups = named(w.Groups, a.Gate.From)
		return &run.PersonDone{Who: w, Gate: refOf(&a.Gate), Evidence: data}
	})
}
