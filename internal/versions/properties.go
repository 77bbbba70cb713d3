package versions

import (
	"regexp"
	"strings"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// hopVariable is the name of the hop in the rules of risks.
const hopVariable = "hop"

// The members of every hop, whatever properties are declared.
const (
	fieldFrom      = "from"
	fieldTo        = "to"
	fieldKind      = "kind"
	fieldPrevious  = "previous"
	reservedFields = 4
)

// propertyPattern is that of names that can be selected in an expression.
var propertyPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// property is a declared property.
type property struct {
	name  string
	kind  schema.Type
	doc   string
	value any // the default
	// given tells that there is a default, required that every hop must have
	// a value from elsewhere.
	given, required bool
}

// HopType returns the type of Hop.Value: from, to, kind, previous (the
// properties of the version that the hop starts from) and the declared
// properties. Those without a default that are optional may be absent.
func (g *Graph) HopType() schema.Type {
	text := schema.Of(schema.String)
	kind := schema.Type{Kind: schema.String, Enum: []string{string(Upgrade), string(Waypoint)}}
	previous := make(map[string]schema.Field, len(g.properties))
	fields := map[string]schema.Field{
		fieldFrom: {Type: text, Required: true, Doc: "Version that the hop starts from."},
		fieldTo:   {Type: text, Required: true, Doc: "Version that the hop leads to."},
		fieldKind: {Type: kind, Required: true, Doc: "upgrade, or waypoint when the hop ends at one."},
	}
	for _, p := range g.properties {
		fields[p.name] = schema.Field{Type: p.kind, Required: p.given || p.required, Doc: p.doc}
		previous[p.name] = schema.Field{Type: p.kind, Required: p.given, Doc: p.doc}
	}
	fields[fieldPrevious] = schema.Field{
		Type: schema.ObjectOf(previous), Required: true, Doc: "Properties of the version that the hop starts from.",
	}
	return schema.ObjectOf(fields)
}

// defaults returns a fresh map of the properties that have a default.
func (g *Graph) defaults() map[string]any {
	values := map[string]any{}
	for _, p := range g.properties {
		if p.given {
			values[p.name] = p.value
		}
	}
	return values
}

// properties reads the declarations.
func (b *builder) properties(docs yamldoc.Ordered[PropertyDocument]) {
	for i := range docs {
		doc := &docs[i].Value
		p := property{
			name: docs[i].Name, doc: doc.Description, given: doc.Default != nil,
			required: doc.Default == nil && !doc.Optional,
		}
		b.propertyName(p.name, docs[i].Pos)
		p.kind = b.propertyType(doc)
		if p.given {
			if doc.Optional {
				b.ds.Errorf(CodeInvalidProperty, docs[i].Pos, "property %q is optional and has a default", p.name).
					Suggest("keep one of them: a default makes it always present")
			}
			p.value = b.propertyValue(&p, doc.Default)
		}
		b.g.properties = append(b.g.properties, p)
	}
}

func (b *builder) propertyName(name string, pos diag.Position) {
	switch name {
	case fieldFrom, fieldTo, fieldKind, fieldPrevious, "true", "false", "null", "in":
		b.ds.Errorf(CodeInvalidName, pos, "a property cannot be called %q: the name has a meaning of its own", name).
			Suggest("choose another name")
		return
	}
	if !propertyPattern.MatchString(name) {
		b.ds.Errorf(CodeInvalidName, pos, "property %q cannot be selected in an expression", name).
			Suggest("use letters, digits and underscores, as in appVersion")
	}
}

func (b *builder) propertyType(doc *PropertyDocument) schema.Type {
	t := schema.Of(schema.Kind(doc.Type.Value))
	if doc.Items.IsSet() {
		if t.Kind == schema.List || t.Kind == schema.Map {
			elem := schema.Of(schema.Kind(doc.Items.Value))
			t.Elem = &elem
		} else {
			b.ds.Errorf(CodeInvalidProperty, doc.Items.Pos, "items belongs to a list or map, the type is %s", t)
		}
	}
	if len(doc.Enum) > 0 && t.Kind != schema.String {
		b.ds.Errorf(CodeInvalidProperty, doc.Enum[0].Pos, "enum belongs to a string, the type is %s", t)
		return t
	}
	for _, text := range doc.Enum {
		t.Enum = append(t.Enum, text.Value)
	}
	return t
}

// propertyValue returns the plain value of n after checking it.
func (b *builder) propertyValue(p *property, n *yamldoc.Node) any {
	if n.Kind == yamldoc.Invalid {
		return nil // The parser has said what is wrong.
	}
	b.refuseExpressions(n)
	value := n.Plain()
	for _, problem := range schema.Check(p.kind, value) {
		place := ""
		if problem.Path != "" {
			place = " at " + problem.Path
		}
		b.ds.Errorf(CodeInvalidProperty, n.Pos, "property %q%s: %s", p.name, place, problem.Message).
			Suggest("%s", problem.Suggestion)
	}
	return value
}

// refuseExpressions reports ${…} in a value that is never evaluated, so that it
// does not end up in a plan as text.
func (b *builder) refuseExpressions(n *yamldoc.Node) {
	if text, ok := n.Value.(string); ok && strings.Contains(text, "${") {
		b.ds.Errorf(CodeInvalidProperty, n.Pos,
			"a property holds the expression %q, but properties are plain values", text).
			Suggest("write the expression in the procedure")
	}
	for _, item := range n.Items {
		b.refuseExpressions(item)
	}
	for i := range n.Pairs {
		b.refuseExpressions(n.Pairs[i].Value)
	}
}

// values reads the properties of a version or an edge.
func (b *builder) values(docs yamldoc.Ordered[*yamldoc.Node]) map[string]any {
	if len(docs) == 0 {
		return nil
	}
	values := make(map[string]any, len(docs))
	for _, doc := range docs {
		p := b.declared(doc.Name)
		if p == nil {
			b.ds.Errorf(CodeInvalidProperty, doc.Pos, "property %q is not declared", doc.Name).
				Suggest("%s", undeclared(doc.Name, b.g.properties))
			continue
		}
		values[doc.Name] = b.propertyValue(p, doc.Value)
	}
	return values
}

func (b *builder) declared(name string) *property {
	for i := range b.g.properties {
		if b.g.properties[i].name == name {
			return &b.g.properties[i]
		}
	}
	return nil
}

func undeclared(name string, properties []property) string {
	names := make([]string, len(properties))
	for i, p := range properties {
		names[i] = p.name
	}
	if hint := diag.DidYouMean(name, names); hint != "" {
		return hint
	}
	return "declare it under properties"
}
