package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/procedure"
	"github.com/refitproject/refit/internal/versions"
)

// stages builds the stages in their order, without those that are done. Which
// members and conditions a stage has is asked when the stages before it are
// built, with the facts that they leave.
func (b *builder) stages() {
	staged := map[*versions.Hop]bool{}
	seen := map[string]bool{}
	for _, t := range b.in.Procedure.Stages {
		for _, m := range b.members(t) {
			id, ok := b.stageID(t, m)
			done := slices.Contains(b.in.Done, id)
			if !ok || !done && !b.included(t, id, m.scope) {
				continue
			}
			staged[m.hop] = true
			if done {
				continue
			}
			if seen[id] {
				b.ds.Errorf("DuplicateStage", t.ID.Pos(), "two stages are called %q", id).
					Suggest("let the id hold what differs, for example ${item.to}")
				continue
			}
			seen[id] = true
			b.plan.Stages = append(b.plan.Stages, b.stage(id, t, m))
		}
	}
	if b.first != nil {
		b.plan.Stages[0] = b.first.answerForAll(b.unstaged(staged))
	}
}

// checkNumbers refuses whole numbers that JSON cannot hold exactly where they
// would decide something.
func (b *builder) checkNumbers() {
	for what, value := range map[string]any{"inputs": b.in.Inputs, "path": b.scope["path"]} {
		if at, huge := hugeNumber(value); huge {
			b.ds.Errorf("NumberTooLarge", diag.Position{File: b.in.PlatformFile},
				"the number at %q of %s cannot be held exactly in JSON", at, what).Suggest("write it as a string")
		}
	}
}

// rests remembers the facts among references on which rests which stages there
// are. What an earlier stage leaves is none of them.
func (b *builder) rests(references []expr.Reference) {
	used := map[string]bool{}
	restsOn(used, references)
	for path := range used {
		if _, promised := b.promised[path]; !promised {
			b.used[path] = true
		}
	}
}

// restsOn adds the facts among references to used.
func restsOn(used map[string]bool, references []expr.Reference) {
	for _, ref := range references {
		if len(ref) > 1 && ref[0] == "observe" {
			used[ref[1:].String()] = true
		}
	}
}

// sources adds the facts that other facts were observed with: what a fact is
// read from is decided by them.
func (b *builder) sources(used map[string]bool) {
	facts := b.in.Procedure.Facts
	// A fact can rest only on those before it, so one pass from the end is
	// enough.
	for i := range slices.Backward(facts) {
		f := &facts[i]
		named := false
		for path := range used {
			named = named || factName(path) == f.Name
		}
		if !named {
			continue
		}
		for _, t := range []*expr.Template{f.With, f.When} {
			if t != nil {
				restsOn(used, t.References())
			}
		}
	}
}

// stageID evaluates the id of a stage.
func (b *builder) stageID(t *procedure.StageTemplate, m member) (string, bool) {
	b.rests(t.ID.References())
	scope := maps.Clone(m.scope)
	scope["observe"] = b.facts
	value, err := t.ID.Eval(scope)
	if err != nil {
		b.failed(err, t.ID.Pos(), "id of the stage")
		return "", false
	}
	id, _ := value.(string)
	if id == "" || strings.ContainsAny(id, " /\t\n") {
		b.ds.Errorf("InvalidName", t.ID.Pos(), "%q cannot be the id of a stage", id).
			Suggest("use letters, digits, dots and dashes")
		return "", false
	}
	return id, true
}

// member is one member of a stage's forEach.
type member struct {
	scope expr.Scope // without the facts
	name  string     // of the variable; empty without forEach
	value any
	hop   *versions.Hop
}

// members resolves the forEach of a stage.
func (b *builder) members(t *procedure.StageTemplate) []member {
	if t.ForEach == nil {
		return []member{{scope: b.scope}}
	}
	b.rests(t.ForEach.References())
	value, err := t.ForEach.Eval(b.with("observe", b.facts))
	if err != nil {
		b.failed(err, t.ForEach.Pos(), "forEach of the stage")
		return nil
	}
	list, _ := value.([]any)
	out := make([]member, len(list))
	for i, v := range list {
		out[i] = member{scope: b.with(t.As, v), name: t.As, value: v, hop: b.hopOf(v)}
	}
	return out
}

// included evaluates the when of a stage. A stage that is left out is noted, so
// that people see it.
func (b *builder) included(t *procedure.StageTemplate, id string, scope expr.Scope) bool {
	if t.When == nil {
		return true
	}
	b.rests(t.When.References())
	scope = maps.Clone(scope)
	scope["observe"] = b.facts
	value, err := t.When.Eval(scope)
	if err != nil {
		b.failed(err, t.When.Pos(), fmt.Sprintf("when of stage %q", id))
		return false
	}
	if value == true {
		return true
	}
	b.plan.Findings = append(b.plan.Findings, Finding{
		Name: "stage/" + id, Outcome: Pass, Reason: "StageLeftOut",
		Message: fmt.Sprintf("stage %q is left out, because %s is false", id, sourceText(t.When)),
	})
	return false
}

// hopOf returns the hop of the path that a forEach member is, nil when it is
// something else.
func (b *builder) hopOf(value any) *versions.Hop {
	m, ok := value.(map[string]any)
	if !ok || b.in.Path == nil {
		return nil
	}
	for i := range b.in.Path.Hops {
		if h := &b.in.Path.Hops[i]; h.From == m["from"] && h.To == m["to"] {
			return h
		}
	}
	return nil
}
