package versions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/yamldoc"
)

// risks reads the risks of an edge.
func (b *builder) risks(e *edge, docs []RiskDocument) {
	if len(docs) > maxEdgeRisks {
		b.ds.Errorf(CodeTooMany, docs[maxEdgeRisks].Pos,
			"the edge has %d risks, at most %d are read", len(docs), maxEdgeRisks)
		return
	}
	for i := range docs {
		doc := &docs[i]
		name := doc.Name
		switch {
		case !name.IsSet():
		case !namePattern.MatchString(name.Value):
			b.ds.Errorf(CodeInvalidName, name.Pos,
				"risk %q needs a name of lower case letters, digits and dashes", name.Value)
		case slices.Contains(e.Risks, name.Value):
			b.ds.Errorf(CodeDuplicateName, name.Pos,
				"the edge has the risk %q already", name.Value).Suggest("choose another name")
		}
		if url := doc.URL; url.IsSet() && !urlPattern.MatchString(url.Value) {
			b.ds.Errorf(CodeInvalidURL, url.Pos, "url %q is not an address of the web", url.Value).
				Suggest("start it with https://")
		}
		e.Risks = append(e.Risks, name.Value)
		e.risks = append(e.risks, &Risk{
			Name: name.Value, Summary: doc.Summary, URL: doc.URL.Value, Remedy: doc.Remedy, rules: rulesOf(doc.Rules),
		})
	}
}

func rulesOf(docs []RuleDocument) []*rule {
	rules := make([]*rule, len(docs))
	for i := range docs {
		doc := &docs[i]
		r := &rule{pos: doc.Pos, when: doc.When, outcome: RiskOutcome(doc.Outcome.Value)}
		if doc.When != nil {
			r.text = strings.Join(strings.Fields(fmt.Sprint(doc.When.Value)), " ")
			r.when = literalCondition(doc.When)
		}
		rules[i] = r
	}
	return rules
}

// literalCondition lets the texts true and false stand for the values, so that
// a last rule can be written with or without quotes.
func literalCondition(n *yamldoc.Node) *yamldoc.Node {
	text, ok := n.Value.(string)
	if value := strings.TrimSpace(text); ok && (value == "true" || value == "false") {
		literal := *n
		literal.Value, literal.Raw, literal.Quoted = value == "true", value, false
		return &literal
	}
	return n
}
