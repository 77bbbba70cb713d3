package procedure

import (
	"slices"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/schema"
)

// compileProcedure compiles the parts of a procedure in the order in which
// they see each other.
func (l *loader) compileProcedure(f *file, proc *Procedure) {
	f.observed = f.factsType()
	vars := map[string]schema.Type{varInputs: f.inputs, varPlatform: PlatformType(), varObserve: f.observed}
	env := f.newEnv(vars)
	proc.Facts = f.facts(env)
	proc.From = f.compileText(env, f.doc.From)
	if proc.Graph != nil && env != nil {
		f.ds = append(f.ds, proc.Graph.Check(env, f.factExists)...)
	}
	taken := []string{varInputs, varPlatform, varObserve}
	if f.doc.Versions.IsSet() {
		env = f.with(env, map[string]schema.Type{varPath: pathType(proc.Graph)})
		taken = append(taken, varPath)
	}
	proc.Probes = f.probes(env)
	ids, held := map[string]bool{}, map[string]bool{}
	for i := range f.doc.Stages {
		end := diag.Position{}
		if i+1 < len(f.doc.Stages) {
			end = f.doc.Stages[i+1].Pos
		}
		b := &body{file: f, kind: stageBody, env: env, taken: taken, end: end}
		t := b.stage(&f.doc.Stages[i], held)
		f.checkStageID(t, ids)
		proc.Stages = append(proc.Stages, t)
	}
	proc.Remedies = f.remedies(env, taken, proc.Issues)
	f.checkUnused()
}

// stage compiles one stage. Its own values may not use outputs of steps: they
// are needed when planning.
//
// held are the components that earlier stages hold still until the end of the
// run; those that this stage holds so are added.
func (b *body) stage(s *Stage, held map[string]bool) *StageTemplate {
	f, env, taken := b.file, b.env, b.taken
	t := &StageTemplate{Source: s, As: "item"}
	if s.As.IsSet() {
		t.As = s.As.Value
	}
	t.ForEach = f.compileForEach(env, s.ForEach)
	switch {
	case s.ForEach != nil:
		pos := s.ForEach.Pos
		if s.As.IsSet() {
			pos = s.As.Pos
		}
		if f.checkMember(t.As, pos, taken) {
			env = f.with(env, map[string]schema.Type{t.As: memberType(t.ForEach)})
			taken = append(slices.Clone(taken), t.As)
		}
	case s.As.IsSet():
		f.ds.Errorf("KeyNotPermitted", s.As.Pos, "as is given without forEach").Suggest("remove as, or add forEach")
	}
	t.ID = f.compileName(env, s.ID)
	t.Description = f.compileText(env, s.Description)
	t.When = f.compile(env, s.When, schema.Of(schema.Bool))
	t.Window = f.compile(env, s.Window, schema.ListOf(schema.Of(schema.Any)))
	if s.Approval != nil {
		t.Reason = f.compileText(env, s.Approval.Reason)
		if s.Approval.Count < 0 {
			f.ds.Errorf("OutOfRange", s.Pos, "%d persons cannot approve", s.Approval.Count).Suggest("use 1 or more")
		}
	}
	t.Expects = f.factTemplates(env, "expects", s.Expects)
	t.Leaves = f.factTemplates(env, "leaves", s.Leaves)
	b.env, b.taken, b.onFailure = env, taken, s.OnFailure.Value
	t.Steps = b.compileBody(s.Steps)
	flat := b.checkStage(s, held)
	if s.Abort != nil {
		abort := &body{file: f, kind: abortBody, env: env, taken: taken, end: b.end}
		t.Abort = abort.compileBody(s.Abort.Steps)
		abort.checkAbort(flat)
	}
	if flat != nil && s.When == nil {
		flat.holdOn(held)
	}
	return t
}

// checkStageID checks that the id of a stage is a name, and different from all
// others as far as that can be known before planning.
func (f *file) checkStageID(t *StageTemplate, seen map[string]bool) {
	n := t.Source.ID
	if n == nil || t.ID == nil {
		return
	}
	if t.Source.ForEach != nil {
		if t.ForEach != nil && !refersTo(t.ID, t.As) {
			f.ds.Errorf("SameID", n.Pos, "the id %q is the same for every member of forEach", textOf(n)).
				Suggest("let it hold the member, such as to-${%s}", t.As)
		}
		return
	}
	id := textOf(n)
	if len(t.ID.References()) > 0 {
		return
	}
	if !isName(id) {
		f.ds.Errorf("BadName", n.Pos, "stage %q has an id that is not permitted", id).Suggest(nameRule)
	}
	if seen[id] {
		f.ds.Errorf("DuplicateStage", n.Pos, "two stages have the id %q", id).
			Suggest("give each stage an id of its own")
	}
	seen[id] = true
}

// checkStage checks what concerns a stage as a whole.
func (b *body) checkStage(s *Stage, held map[string]bool) *coverage {
	if len(s.Steps) == 0 && b.clean {
		b.ds.Errorf("NoSteps", s.Pos, "the stage has no steps").Suggest("add steps")
	}
	b.checkSoak(s)
	return b.checkCoverage(held)
}
