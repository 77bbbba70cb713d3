package exec_test

import (
	"testing"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/exec"
)

func TestQuote(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		args []string
		want string
	}{
		"Plain":   {[]string{"helm", "upgrade", "--set=a.b/c=1", "x@y:z"}, "helm upgrade --set=a.b/c=1 x@y:z"},
		"Spaces":  {[]string{"a b", "", "c;d"}, "'a b' '' 'c;d'"},
		"Quote":   {[]string{"it's"}, `'it'\''s'`},
		"Control": {[]string{"a\nb\x1b'"}, `$'a\nb\x1b\''`},
	}
	for name, tc := range cases {
		if got := exec.Quote(tc.args); got != tc.want {
			t.Errorf("%s: got %s, want %s", name, got, tc.want)
		}
	}
}

func TestPreviewShowsTheCommand(t *testing.T) {
	t.Parallel()
	in := map[string]any{"command": []any{"helm", "upgrade", "my hub"}}
	for want, a := range map[string]action.Action{
		"run: helm upgrade 'my hub'":                exec.Command(runner()),
		"read the output of: helm upgrade 'my hub'": exec.Observe(runner()),
	} {
		preview, err := a.Preview(t.Context(), action.Env{}, in)
		if err != nil || preview.Summary != want {
			t.Errorf("got %q, %v, want %q", preview.Summary, err, want)
		}
	}
}
