package versions

import (
	"fmt"
	"maps"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/yamldoc"
)

// RiskOutcome is what the rules of a Risk say about the facts.
type RiskOutcome string

// The outcomes. RiskApplies and RiskUnknown stop a plan until a person accepts
// the risk by name.
const (
	RiskClear   RiskOutcome = "clear"
	RiskApplies RiskOutcome = "applies"
	RiskUnknown RiskOutcome = "unknown"
)

// Risk is something that may go wrong on one hop.
type Risk struct {
	Name    string `json:"name"`
	Summary string `json:"summary"`
	URL     string `json:"url,omitempty"`
	Remedy  string `json:"remedy,omitempty"`

	rules []*rule
	// hop is the variable hop of the rules.
	hop map[string]any
}

// rule decides a Risk when its condition is true. Check compiles it.
type rule struct {
	pos      diag.Position
	when     *yamldoc.Node
	text     string
	outcome  RiskOutcome
	compiled *expr.Template
}

// on returns the Risk as it stands on one hop. The rules stay shared, so that
// they need to be compiled only once.
func (r *Risk) on(hop map[string]any) *Risk {
	bound := *r
	bound.hop = hop
	return &bound
}

// Evaluate asks the rules in their order: the first whose condition is true
// decides. It fails closed: an error, a value that is missing, no rule that
// holds, or rules that Graph.Check has not compiled give RiskUnknown. The
// reason is one line for people. The scope holds what the environment given to
// Check declares; the variable hop is added.
func (r *Risk) Evaluate(scope expr.Scope) (RiskOutcome, string) {
	if len(r.rules) == 0 {
		return RiskApplies, "the risk has no rules, so it applies to every such hop"
	}
	withHop := make(expr.Scope, len(scope)+1)
	maps.Copy(withHop, scope)
	withHop[hopVariable] = r.hop
	for i, rule := range r.rules {
		if rule.compiled == nil {
			return RiskUnknown, fmt.Sprintf("rule %d was not compiled", i+1)
		}
		value, err := rule.compiled.Eval(withHop)
		if err != nil {
			return RiskUnknown, fmt.Sprintf("rule %d cannot be evaluated: %v", i+1, err)
		}
		holds, ok := value.(bool)
		if !ok {
			return RiskUnknown, fmt.Sprintf("rule %d gives neither true nor false", i+1)
		}
		if holds {
			return rule.outcome, fmt.Sprintf("rule %d holds: %s", i+1, rule.text)
		}
	}
	return RiskUnknown, "no rule holds"
}

// References returns what the rules of the Risk refer to, so that a plan can
// expect the facts that a verdict rests on to stay as they are.
func (r *Risk) References() []expr.Reference {
	var out []expr.Reference
	for _, rule := range r.rules {
		if rule.compiled != nil {
			out = append(out, rule.compiled.References()...)
		}
	}
	return out
}
