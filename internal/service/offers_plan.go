package service

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/schema"
)

// reachNow is how long a completion may take to observe what is installed.
const reachNow = time.Second

// OfferVersions offers the versions of a platform: those that can be reached first.
// What is installed is only observed when that is quick, starts no program and
// reads no secret.
func (s *Service) OfferVersions(ctx context.Context, file string) ([]Offer, error) {
	l, _, err := openPlatform(file)
	if err != nil {
		return nil, err
	}
	if err := s.attachProcedure(l, file); err != nil {
		return nil, err
	}
	if l.procedure.Graph == nil {
		return nil, nil
	}
	all := releases(l.procedure)
	if !isQuiet(l.procedure) || l.resolve(s, nil) != nil {
		return all, nil
	}
	ctx, cancel := context.WithTimeout(ctx, reachNow)
	defer cancel()
	reach, err := s.reach(ctx, l)
	if err != nil || reach == nil {
		return all, nil // Nobody knows what is installed then.
	}
	return byReach(all, reach), nil
}

// byReach puts the versions that can be reached first.
func byReach(all []Offer, reach *Reach) []Offer {
	var out, rest []Offer
	for _, o := range all {
		i := slices.IndexFunc(reach.Versions, func(r Reachable) bool { return r.Version == o.Value })
		switch {
		case i >= 0:
			hops := "1 hop"
			if n := reach.Versions[i].Hops; n > 1 {
				hops = fmt.Sprintf("%d hops", n)
			}
			out = append(out, Offer{o.Value, join(hops+" from "+reach.Installed, o.Text)})
		case o.Value == reach.Installed:
			rest = append(rest, Offer{o.Value, join("installed", o.Text)})
		default:
			rest = append(rest, Offer{o.Value, join("no way from "+reach.Installed, o.Text)})
		}
	}
	return append(out, rest...)
}

func join(a, b string) string { return strings.TrimSuffix(a+", "+b, ", ") }

// releases offers the versions of a graph from the oldest to the newest.
func releases(proc *procedure.Procedure) []Offer {
	var out []Offer
	for _, v := range proc.Graph.Versions() {
		o := Offer{Value: v.Version}
		if v.Released != "" {
			o.Text = "released " + v.Released
		}
		out = append(out, o)
	}
	return out
}

// isQuiet tells whether the facts of a procedure can be observed while somebody
// waits for a completion: nothing is started, and no secret is read.
func isQuiet(proc *procedure.Procedure) bool {
	for _, name := range proc.Inputs.FieldNames() {
		if t := proc.Inputs.Fields[name].Type; t.Kind == schema.Secret || t.HoldsSensitive() {
			return false
		}
	}
	for i := range proc.Facts {
		spec := proc.Facts[i].Spec
		if len(spec.Programs) > 0 || strings.HasPrefix(spec.Name, "exec.") {
			return false
		}
	}
	for _, t := range proc.Document.Targets {
		if kind := t.Value.Kind.Value; kind != "directory" && kind != "host" {
			return false // Others are asked over a network or by programs.
		}
	}
	return true
}

// OfferProcedureVersions offers the versions of a procedure; with from only those
// to which a path leads.
func (s *Service) OfferProcedureVersions(_ context.Context, ref, from string) ([]Offer, error) {
	proc, _, _, err := s.loadProcedure(ref, "", diag.Position{})
	if err != nil || proc.Graph == nil {
		return nil, err
	}
	all := releases(proc)
	if _, known := proc.Graph.Find(from); !known {
		return all, nil
	}
	reach := &Reach{Installed: from, Versions: reachable(proc.Graph, from)}
	return byReach(all, reach)[:len(reach.Versions)], nil
}

// OfferProcedures offers the procedures that Refit ships.
func (s *Service) OfferProcedures(ctx context.Context) ([]Offer, error) {
	list, err := s.Procedures(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Offer, len(list))
	for i := range list {
		out[i] = Offer{list[i].Name, list[i].Summary}
	}
	return out, nil
}

// OfferPlanStages offers the stages of a plan file.
func (s *Service) OfferPlanStages(file string) ([]Offer, error) {
	p, err := s.ReadPlan(file)
	if err != nil {
		return nil, err
	}
	out := make([]Offer, len(p.Stages))
	for i := range p.Stages {
		out[i] = Offer{p.Stages[i].ID, p.Stages[i].Description}
	}
	return out, nil
}

// OfferFindings offers the findings of a plan file that block.
func (s *Service) OfferFindings(file string) ([]Offer, error) {
	p, err := s.ReadPlan(file)
	if err != nil {
		return nil, err
	}
	var out []Offer
	for _, f := range p.Blocked() {
		out = append(out, Offer{f.Name, f.Message})
	}
	return out, nil
}

// OfferChannels offers the channels of a platform file.
func (s *Service) OfferChannels(file string) ([]Offer, error) {
	l, _, err := openPlatform(file)
	if err != nil {
		return nil, err
	}
	var out []Offer
	for _, c := range plan.ChannelsOf(l.platform) {
		out = append(out, Offer{c.Name, c.Kind})
	}
	return out, nil
}

// OfferBackups offers the backups of a store, the newest first.
func (s *Service) OfferBackups(ctx context.Context, from BackupStore, whole bool) ([]Offer, error) {
	list, err := s.Backups(ctx, from)
	if err != nil {
		return nil, err
	}
	var out []Offer
	for i := range list {
		b := &list[i]
		good := b.State == report.BackupProved || b.State == report.BackupUnproved
		if whole && !good {
			continue
		}
		text := string(b.State)
		if !b.Began.IsZero() {
			text = fmt.Sprintf("%s, %s", b.Began.UTC().Format("2006-01-02 15:04"), b.State)
		}
		out = append(out, Offer{b.ID, text})
	}
	return out, nil
}

// OfferIssues offers the known issues of a procedure, or of all that Refit ships.
func (s *Service) OfferIssues(ctx context.Context, procedure string) ([]Offer, error) {
	list, err := s.Issues(ctx, procedure, "")
	if err != nil {
		return nil, err
	}
	out := make([]Offer, len(list))
	for i := range list {
		out[i] = Offer{list[i].ID, list[i].Explanation}
	}
	return out, nil
}
