package procedure

import (
	"strings"

	"github.com/refitproject/refit/internal/expr"
	"github.com/refitproject/refit/internal/schema"
	"github.com/refitproject/refit/internal/yamldoc"
)

// checkSensitive refuses expressions that use sensitive members of facts and
// of outputs of steps: all that an expression would see of them is a hash. A
// list that is only gone through may hold some.
func (f *file) checkSensitive(t *expr.Template, isList bool) {
	if t == nil {
		return
	}
	for _, u := range t.SensitiveUses() {
		keeper := "a plan"
		if strings.HasPrefix(u.Text, varSteps) {
			keeper = "a run"
		}
		switch {
		case isList && u.Result:
		case u.Whole:
			f.ds.Errorf("SensitiveFact", u.Pos, "%s has sensitive members: %s holds only their hashes", u.Text, keeper).
				Suggest("select the members that are needed; for a password use an input of type secret")
		default:
			f.ds.Errorf("SensitiveFact", u.Pos, "%s is sensitive: %s holds only its hash", u.Text, keeper).
				Suggest("use an input of type secret, which is resolved inside the action that needs it")
		}
	}
}

// compileForEach compiles a list whose members are selected from.
func (f *file) compileForEach(env *expr.Env, n *yamldoc.Node) *expr.Template {
	t := f.compileAny(env, n, schema.ListOf(schema.Of(schema.Any)))
	f.checkSensitive(t, true)
	return t
}
