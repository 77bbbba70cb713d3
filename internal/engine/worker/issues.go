package worker

import (
	"context"
	"io"

	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/issues"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/run"
)

// How much of what a failed step wrote and left behind is looked at, in bytes. A
// program says why it failed near its end.
const (
	logBegin    = 1 << 20
	logEnd      = 7 << 20
	mostEvident = 1 << 20
)

// mostIssues is how many known issues an event may hold, mostSource how long the
// description of a source may be in bytes.
const (
	mostIssues = 8
	mostSource = 1 << 10
)

// matchIssues looks which known issues of the plan fit a failure. What it cannot
// read it does without: an explanation that is missing stops no run.
func (j *job) matchIssues(ctx context.Context, c run.MatchIssues) (run.Body, error) {
	e := &run.IssuesMatched{Op: c.Op, Turn: c.Turn}
	if len(j.Plan.Issues) == 0 {
		return e, nil
	}
	_, step, err := j.step(c.Op.Stage, c.Op.Step)
	if err != nil {
		return nil, err
	}
	set, err := issues.Build(j.Plan.Issues)
	if err != nil {
		e.Issues = []run.Issue{{
			ID: "known-issues", Explanation: oneLine("the known issues of the plan cannot be read: " + err.Error()),
		}}
		return e, nil //nolint:nilerr // people read it in the event
	}
	candidates := set.Find(&issues.Failure{
		Stage: c.Op.Stage, Step: c.Op.Step, Action: step.Action, Phase: string(step.Phase), Target: step.Target,
		Reason: c.Reason, Message: c.Message, Texts: append(j.evidence(ctx, c.Artefacts), j.logOf(ctx, c)...),
	})
	found := candidates.Judge(expr.Scope{varInputs: j.Plan.Inputs, varObserve: j.factsNow(ctx, candidates.Facts())})
	for _, f := range found[:min(len(found), mostIssues)] {
		e.Issues = append(e.Issues, run.Issue{
			ID: f.Issue.ID, Explanation: oneLine(f.Issue.Explanation), Remedy: oneLine(f.Issue.Remedy),
			Source: shorten(oneLine(f.Issue.Source.String()), mostSource), In: f.In, Line: f.Line, Benign: f.Benign,
		})
	}
	return e, nil
}

// evidence returns what was kept of the last attempt and is not too large.
func (j *job) evidence(ctx context.Context, kept []run.Artefact) []issues.Text {
	var out []issues.Text
	left := int64(mostEvident)
	for _, a := range kept {
		if j.Fetch == nil || a.Size > left {
			continue
		}
		data, err := j.Fetch(ctx, a.Digest)
		if err != nil {
			continue
		}
		left -= int64(len(data))
		out = append(out, issues.Text{Name: a.Name, Data: string(data)})
	}
	return out
}

// logOf returns what the last attempt wrote.
func (j *job) logOf(ctx context.Context, c run.MatchIssues) []issues.Text {
	if j.ReadLog == nil || c.Attempt == 0 {
		return nil
	}
	log, err := j.ReadLog(ctx, c.Op, c.Attempt)
	if err != nil {
		return nil // It has written nothing, or nothing that is left.
	}
	defer func() { _ = log.Close() }() // It was only read from.
	return []issues.Text{{Name: "log", Data: beginAndEnd(log, logBegin, logEnd)}}
}

// beginAndEnd returns the first and the last bytes of a text, with a line between
// them where something was left out. What cannot be read any more is left out.
func beginAndEnd(r io.Reader, first, last int) string {
	data, err := io.ReadAll(io.LimitReader(r, int64(first)))
	if err != nil || len(data) < first {
		return string(data)
	}
	tail := &ring{size: last}
	_, _ = io.Copy(tail, r) // What was read so far is better than nothing.
	if tail.lost {
		data = append(data, "\n…\n"...)
	}
	return string(append(append(data, tail.data[tail.at:]...), tail.data[:tail.at]...))
}

// ring keeps the last bytes that were written to it.
type ring struct {
	size, at int
	data     []byte
	lost     bool
}

// Write implements io.Writer.
func (r *ring) Write(p []byte) (int, error) {
	n := len(p)
	if grow := min(r.size-len(r.data), len(p)); grow > 0 {
		r.data, p = append(r.data, p[:grow]...), p[grow:]
	}
	for len(p) > 0 {
		copied := copy(r.data[r.at:], p)
		r.at, p, r.lost = (r.at+copied)%r.size, p[copied:], true
	}
	return n, nil
}

// factsNow observes facts again. One that cannot be observed is not there; the
// name "" stands for all.
func (j *job) factsNow(ctx context.Context, names []string) map[string]any {
	out := map[string]any{}
	for _, o := range j.Plan.Observe {
		if !wanted(o, names) {
			continue
		}
		var fact map[string]any
		err := guarded(func() (err error) {
			fact, err = j.world.Fact(ctx, o)
			return err
		})
		if err == nil {
			out[o.Name] = fact
		}
	}
	return out
}

func wanted(o plan.Observe, names []string) bool {
	for _, name := range names {
		if name == "" || name == o.Name {
			return true
		}
	}
	return false
}
