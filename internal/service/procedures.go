package service

import (
	"context"
	"errors"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/versions"
)

// Procedures describes all procedures that Refit ships, sorted by name.
func (s *Service) Procedures(ctx context.Context) ([]report.ProcedureSummary, error) {
	names, err := s.shipped()
	if err != nil {
		return nil, err
	}
	out := make([]report.ProcedureSummary, 0, len(names))
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		proc, _, _, err := s.loadProcedure(name, "", diag.Position{})
		if err != nil {
			return nil, err
		}
		out = append(out, summaryOf(proc, name))
	}
	return out, nil
}

// Procedure describes one procedure: the name of one that Refit ships, or a
// file. The warnings of its files come beside it.
func (s *Service) Procedure(_ context.Context, ref string) (report.ProcedureSummary, diag.Diagnostics, error) {
	proc, _, warnings, err := s.loadProcedure(ref, "", diag.Position{})
	if err != nil {
		return report.ProcedureSummary{}, nil, err
	}
	return summaryOf(proc, ref), warnings, nil
}

// PathsRequest asks for the paths from one version to another.
type PathsRequest struct {
	// Procedure is the name of a shipped procedure, or a file.
	Procedure string
	From, To  string
	// Limit is how many paths are looked for; at least one is.
	Limit int
}

// Paths returns the paths of a procedure's version graph from one version to
// another, the best one first. That there is none is no error: the result says
// why. An unknown version is a *UsageError.
func (s *Service) Paths(_ context.Context, req PathsRequest) (report.Paths, error) {
	proc, _, _, err := s.loadProcedure(req.Procedure, "", diag.Position{})
	if err != nil {
		return report.Paths{}, err
	}
	if proc.Graph == nil {
		return report.Paths{}, usageErrorf("the procedure %q has no version graph", req.Procedure)
	}
	out := report.Paths{Product: proc.Graph.Product(), From: req.From, To: req.To, Paths: []report.VersionPath{}}
	paths, err := proc.Graph.Paths(req.From, req.To, req.Limit)
	var none *versions.NoPathError
	switch {
	case errors.As(err, &none):
		out.From, out.To, out.NoPath, out.Procedure = none.From, none.To, none.Error(), none.Procedure
		if none.Nearest != none.From {
			out.Nearest = none.Nearest
		}
		return out, nil
	case err != nil:
		return report.Paths{}, pathError(err)
	}
	for _, p := range paths {
		out.From, out.To = p.From, p.To
		out.Paths = append(out.Paths, pathOf(p))
	}
	return out, nil
}

// pathOf describes one path.
func pathOf(p versions.Path) report.VersionPath {
	out := report.VersionPath{Hops: make([]report.PathHop, 0, len(p.Hops))}
	for _, h := range p.Hops {
		hop := report.PathHop{From: h.From, To: h.To, Kind: report.EdgeKind(h.Kind)}
		for _, r := range h.Risks {
			hop.Risks = append(hop.Risks, report.PathRisk{
				Name: r.Name, Summary: r.Summary, URL: r.URL, Remedy: r.Remedy,
			})
		}
		for _, r := range h.Requires {
			hop.Requires = append(hop.Requires, report.PathRequirement{
				Name: r.Name, Fact: r.Fact, Constraint: r.Constraint, Owner: r.Owner,
			})
		}
		out.Hops = append(out.Hops, hop)
	}
	return out
}

// summaryOf describes a procedure. ref is how a person called it.
func summaryOf(proc *procedure.Procedure, ref string) report.ProcedureSummary {
	doc := proc.Document
	out := report.ProcedureSummary{
		Name: doc.Metadata.Name.Value, Summary: doc.Metadata.Summary, Description: doc.Metadata.Description,
		Source: doc.Metadata.Source, File: ref,
	}
	for _, t := range doc.Targets {
		out.Targets = append(out.Targets, report.NamedKind{
			Name: t.Name, Kind: t.Value.Kind.Value, Description: t.Value.Description,
		})
	}
	for _, c := range doc.Components {
		out.Components = append(out.Components, report.NamedKind{
			Name: c.Name, Kind: c.Value.Kind.Value, Description: c.Value.Description,
		})
	}
	for _, in := range doc.Inputs {
		out.Inputs = append(out.Inputs, inputOf(in.Name, in.Value, proc.Inputs.Fields[in.Name]))
	}
	for _, f := range proc.Facts {
		out.Facts = append(out.Facts, report.FactSource{
			Name: f.Name, Action: f.Source.Action.Value, Description: f.Source.Description,
		})
	}
	for _, stage := range proc.Stages {
		out.Stages = append(out.Stages, stageOverview(stage))
	}
	if proc.Graph != nil {
		graph := graphOf(proc.Graph)
		out.Graph = &graph
	}
	return out
}

// inputOf describes one input.
func inputOf(name string, in procedure.Input, field schema.Field) report.InputSummary {
	out := report.InputSummary{
		Name: name, Type: string(field.Type.Kind), Required: field.Required,
		Description: in.Description,
	}
	if len(in.Enum) == 0 {
		out.Type = field.Type.String()
	}
	for _, v := range in.Enum {
		out.Enum = append(out.Enum, v.Value)
	}
	if in.Default != nil {
		out.Default = in.Default.Plain()
		out.Required = false
	}
	return out
}

// stageOverview describes a stage as its author wrote it.
func stageOverview(t *procedure.StageTemplate) report.StageOverview {
	src := t.Source
	out := report.StageOverview{
		ID: nodeText(src.ID), Description: nodeText(src.Description), ForEach: nodeText(src.ForEach),
	}
	for _, step := range t.Steps {
		action := step.Source.Action.Value
		if step.Sub != nil {
			action = "use " + step.Source.Use.Value
		}
		out.Steps = append(out.Steps, report.StepOverview{
			ID: step.ID, Phase: step.Source.Phase.Value, Action: action, Description: nodeText(step.Source.Description),
		})
	}
	return out
}
