package kube

import (
	"errors"
	"fmt"
	"slices"

	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// celCondition is a condition of objects, in the language of expressions. It has the variables object,
// with which it is asked of each object, and objects, the list of all of them.
type celCondition struct {
	text     string
	template *expr.Template
	// each tells that it is asked of every object.
	each bool
}

// compileConditions checks conditions that stand in a field of an input.
func compileConditions(field string, texts []string) ([]celCondition, error) {
	env, err := expr.NewEnv(map[string]schema.Type{
		"object": schema.Of(schema.Any), "objects": schema.ListOf(schema.Of(schema.Any)),
	})
	if err != nil {
		return nil, err
	}
	out := make([]celCondition, len(texts))
	for i, text := range texts {
		node := &yamldoc.Node{Kind: yamldoc.Scalar, Value: "${" + text + "}", Raw: "${" + text + "}", Quoted: true}
		template, problems := env.CompileTemplate(node, schema.Of(schema.Bool))
		where := field
		if len(texts) > 1 {
			where = fmt.Sprintf("%s[%d]", field, i)
		}
		for _, p := range problems {
			if p.Severity == diag.Error {
				return nil, fmt.Errorf("field %q: %q is no condition: %s", where, text, p.Summary)
			}
		}
		asked := func(name string) bool {
			return slices.ContainsFunc(template.References(), func(r expr.Reference) bool { return r[0] == name })
		}
		if !asked("object") && !asked("objects") {
			return nil, fmt.Errorf("field %q: %q asks neither object nor objects", where, text)
		}
		out[i] = celCondition{text: text, template: template, each: asked("object")}
	}
	return out, nil
}

// differs says why a condition is not true, "" when it is. What is asked for and not
// there is such a reason too.
func (c celCondition) differs(object any, objects []any) string {
	value, err := c.template.Eval(expr.Scope{"object": object, "objects": objects})
	if failure, ok := errors.AsType[*expr.EvalError](err); ok {
		return fmt.Sprintf("%s: %v", c.text, failure.Err)
	}
	if err != nil {
		return fmt.Sprintf("%s: %v", c.text, err)
	}
	if value != true {
		return c.text + " is not true"
	}
	return ""
}
