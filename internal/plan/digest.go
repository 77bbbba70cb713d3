package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/issues"
	"github.com/refitproject/refit/internal/schema"
)

// digestOf returns the digest of v: SHA-256 over its canonical JSON (RFC 8785).
func digestOf(v any) (string, error) {
	canonical, err := schema.CanonicalJSON(v)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(canonical)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// stageDigest returns the digest over all that decides what the stage does.
// Descriptions, windows, estimates and previews stay outside, so that an
// approval survives their change. Findings of the stage that block or were
// accepted are inside, and so is what was accepted ahead of its checks: who
// approves the stage approves them.
func stageDigest(p *Plan, s *Stage) (string, error) {
	decisive := *s
	decisive.Digest, decisive.Description, decisive.Windows, decisive.Estimate = "", "", nil, Estimate{}
	decisive.Template = ""
	decisive.Steps = decisiveSteps(s.Steps)
	decisive.Coverage = decisiveCoverage(s.Coverage)
	decisive.Gates = decisiveGates(s.Gates)
	if s.Abort != nil {
		decisive.Abort = &Abort{Steps: decisiveSteps(s.Abort.Steps), Groups: s.Abort.Groups}
	}
	return digestOf(struct {
		Stage      Stage       `json:"stage"`
		Platform   string      `json:"platform"`
		Components []Component `json:"components,omitempty"`
		Targets    []Target    `json:"targets,omitempty"`
		Observe    []Observe   `json:"observe,omitempty"`
		Judged     []Finding   `json:"judged,omitempty"`
		Accept     []Accept    `json:"accept,omitempty"`
		// Harmless are the known issues that may let a failed step pass.
		Harmless []issues.Issue `json:"harmless,omitempty"`
	}{
		decisive, p.Platform, p.Components, targetsOf(p, s), observesOf(p, s),
		judgedOf(p, s.ID), acceptedAhead(p, s), harmlessOf(p),
	})
}

// harmlessOf returns the known issues that may let a failed step pass, without the
// words for people: what is done with a failure is agreed to, not how it is told.
func harmlessOf(p *Plan) []issues.Issue {
	var out []issues.Issue
	for _, i := range p.Issues {
		if i.Benign != "" {
			i.Explanation, i.Remedy, i.Source = "", "", issues.Source{}
			out = append(out, i)
		}
	}
	return out
}

// acceptedAhead returns the acceptances of preflight checks of the stage.
func acceptedAhead(p *Plan, s *Stage) []Accept {
	var out []Accept
	for _, a := range p.Accept {
		if s.hasPreflight(strings.TrimPrefix(a.Name, PreflightPrefix)) {
			out = append(out, a)
		}
	}
	return out
}

// targetsOf returns the targets that the stage acts on or observes.
func targetsOf(p *Plan, s *Stage) []Target {
	used := map[string]bool{}
	for i := range s.Steps {
		used[s.Steps[i].Target] = true
	}
	if s.Abort != nil {
		for i := range s.Abort.Steps {
			used[s.Abort.Steps[i].Target] = true
		}
	}
	for _, o := range observesOf(p, s) {
		used[o.Target] = true
	}
	var out []Target
	for _, t := range p.Targets {
		if used[t.Name] {
			out = append(out, t)
		}
	}
	return out
}

// observesOf returns how the facts that the stage expects are observed.
func observesOf(p *Plan, s *Stage) []Observe {
	used := map[string]bool{}
	for _, e := range s.Expects {
		used[factName(e.Fact)] = true
	}
	for _, r := range s.Requires {
		used[factName(r.Fact)] = true
	}
	var out []Observe
	for _, o := range p.Observe {
		if used[o.Name] {
			out = append(out, o)
		}
	}
	return out
}

// factName returns the name of the observe entry that a path begins with.
func factName(path string) string {
	ref, err := expr.ParsePath(path)
	if err != nil {
		return path
	}
	return ref[0]
}

// decisiveGates returns a copy of gates without the words of this program in
// their reasons; what the author wrote stays.
func decisiveGates(gates []Gate) []Gate {
	out := slices.Clone(gates)
	for i := range out {
		if out[i].Requirement != nil || out[i].Name == gateNoReturn || out[i].Reason == reasonAsked {
			out[i].Reason = ""
		}
	}
	return out
}

// decisiveSteps returns a copy of steps without what stays outside the digest.
func decisiveSteps(steps []Step) []Step {
	out := make([]Step, len(steps))
	copy(out, steps)
	for i := range out {
		out[i].Description, out[i].Preview, out[i].Estimate, out[i].Back = "", nil, Estimate{}, Estimate{}
		out[i].Irreversibly = "" // that it cannot be taken back is in Reversible
		if out[i].Skip != "" {
			out[i].Skip = "skipped" // why is told in words of this program
		}
	}
	return out
}

// decisiveCoverage returns a copy of coverage without the predicted loss.
func decisiveCoverage(coverage []Coverage) []Coverage {
	out := make([]Coverage, len(coverage))
	copy(out, coverage)
	for i := range out {
		out[i].LossWindow = 0
	}
	return out
}

// judgedOf returns the findings of one stage that block or that a person
// accepted; "" gives those of the whole plan. They are decisive: a plan does
// not become applicable by deleting a line. Windows stay outside; whether a
// stage fits is asked again when it starts.
func judgedOf(p *Plan, stage string) []Finding {
	var out []Finding
	for _, f := range p.Findings {
		blocking := f.Outcome == Fail || f.Outcome == UnknownOutcome
		if f.Stage != stage || !blocking || strings.HasPrefix(f.Name, windowPrefix) {
			continue
		}
		// The text may be reworded by a newer release; name, outcome and
		// acceptance are what was agreed to.
		out = append(out, Finding{
			Name: f.Name, Stage: f.Stage, Step: f.Step, Outcome: f.Outcome, Reason: f.Reason, Accepted: f.Accepted,
		})
	}
	return out
}

// stageRef stands for a stage in the root digest.
type stageRef struct {
	ID     string `json:"id"`
	Digest string `json:"digest"`
}

// rootDigest returns the digest over everything decisive. It trusts the
// digests of the stages.
func rootDigest(p *Plan) (string, error) {
	decisive := *p
	decisive.Digest, decisive.RehearsalDigest, decisive.Refit, decisive.PlatformFile = "", "", "", ""
	decisive.Created, decisive.Facts, decisive.Findings, decisive.Stages = time.Time{}, nil, nil, nil
	decisive.Summary = Summary{}
	decisive.Procedure.File = ""
	decisive.Channels = decisiveChannels(p.Channels)
	refs := make([]stageRef, len(p.Stages))
	for i := range p.Stages {
		refs[i] = stageRef{p.Stages[i].ID, p.Stages[i].Digest}
	}
	return digestOf(struct {
		Plan     Plan       `json:"plan"`
		Stages   []stageRef `json:"stages"`
		Accepted []Finding  `json:"accepted,omitempty"`
	}{decisive, refs, judgedOf(p, "")})
}

// decisiveChannels returns a copy of channels without events and texts. Where
// messages go stays inside: a reference to a secret may start a program.
func decisiveChannels(channels []Channel) []Channel {
	var out []Channel
	for _, c := range channels {
		out = append(out, Channel{Name: c.Name, Kind: c.Kind, Address: c.Address})
	}
	return out
}

// rehearsalDigest returns the digest over procedure, graph and path. The
// procedure's digest covers the file of the graph.
func rehearsalDigest(p *Plan) (string, error) {
	return digestOf(struct {
		Procedure string `json:"procedure"`
		Path      *Path  `json:"path"`
	}{p.Procedure.Digest, p.Path})
}

// seal computes all digests of p.
func seal(p *Plan) error {
	var err error
	for i := range p.Stages {
		s := &p.Stages[i]
		if s.Digest, err = stageDigest(p, s); err != nil {
			return fmt.Errorf("digest of stage %q: %w", s.ID, err)
		}
	}
	if p.RehearsalDigest, err = rehearsalDigest(p); err != nil {
		return fmt.Errorf("digest for rehearsals: %w", err)
	}
	if p.Digest, err = rootDigest(p); err != nil {
		return fmt.Errorf("digest of the plan: %w", err)
	}
	return nil
}

// TamperedError is returned when a digest in a plan file is not the digest of
// what stands there.
type TamperedError struct {
	// Part is the stage's id, "" for the plan as a whole.
	Part string
}

// Error says in one line what was changed and what to do.
func (e *TamperedError) Error() string {
	what := "the plan"
	if e.Part != "" {
		what = fmt.Sprintf("stage %q", e.Part)
	}
	return what + " was changed after the plan was made: its digest does not match; make the plan anew with refit plan"
}

// verifyDigests tells whether every digest of p is the digest of what stands
// there.
func verifyDigests(p *Plan) error {
	for i := range p.Stages {
		s := &p.Stages[i]
		digest, err := stageDigest(p, s)
		if err != nil {
			return fmt.Errorf("digest of stage %q: %w", s.ID, err)
		}
		if digest != s.Digest {
			return &TamperedError{Part: s.ID}
		}
	}
	rehearsal, err := rehearsalDigest(p)
	if err != nil {
		return fmt.Errorf("digest for rehearsals: %w", err)
	}
	root, err := rootDigest(p)
	if err != nil {
		return fmt.Errorf("digest of the plan: %w", err)
	}
	if root != p.Digest || rehearsal != p.RehearsalDigest {
		return &TamperedError{}
	}
	return nil
}
