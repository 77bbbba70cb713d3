package courier

import (
	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/platform"
	"github.com/refitproject/refit/internal/yamldoc"
)

// template is a text of a channel; nil when there is none.
type template struct{ text platform.NoticeText }

// compile compiles a text that a plan holds. A text that this version does not
// understand is left out: the usual one is sent then.
func compile(source string) *template {
	if source == "" {
		return nil
	}
	node := &yamldoc.Node{Kind: yamldoc.Scalar, Value: source, Pos: diag.Position{File: "plan", Line: 1, Column: 1}}
	text, ds := platform.CompileNotice(node)
	if ds.HasErrors() {
		return nil
	}
	return &template{text: text}
}

// eval returns the text for a notice; not ok when there is none.
func (t *template) eval(fields map[string]string) (string, bool) {
	if t == nil {
		return "", false
	}
	text, err := t.text.Eval(fields)
	return text, err == nil
}
