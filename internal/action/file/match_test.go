package file_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/action/file"
)

func TestMatchSuite(t *testing.T) {
	t.Parallel()
	actiontest.Run(t, actiontest.Suite{
		Action: file.Match(), Examples: "testdata/match/*.yaml",
		World: func(t *testing.T) actiontest.World {
			t.Helper()
			w := actiontest.FolderWorld(t)
			write(t, w.Env.Dir, "sub/values.yaml", "hub: {image: {tag: 4.2.0}}\n", 0o600)
			return w
		},
	})
}

func TestMatch(t *testing.T) {
	t.Parallel()
	const content = "" +
		"hub:\n  db: {upgrade: null, password: a-very-good-secret}\n  services: {reaper: {admin: true}}\n" +
		"singleuser:\n  extraEnv: {HOME_OF: '/home/{username}'}\n  profiles: [{name: big, cpu: 2}, {name: small}]\n"
	type conditions = []any
	one := func(members ...any) map[string]any {
		m := map[string]any{}
		for i := 0; i < len(members); i += 2 {
			name, _ := members[i].(string)
			m[name] = members[i+1]
		}
		return m
	}
	cases := map[string]struct {
		conditions conditions
		want       bool
	}{
		"There":         {conditions{one("path", "hub.services.reaper", "is", "there")}, true},
		"NullIsThere":   {conditions{one("path", "hub.db.upgrade", "is", "there")}, true},
		"NotThere":      {conditions{one("path", "hub.config", "is", "there")}, false},
		"Absent":        {conditions{one("path", "hub.config.JupyterHub", "is", "absent")}, true},
		"NotAbsent":     {conditions{one("path", "hub.db", "is", "absent")}, false},
		"Equals":        {conditions{one("path", "singleuser.profiles[0].cpu", "equals", 2.0)}, true},
		"Differs":       {conditions{one("path", "hub.services.reaper.admin", "equals", false)}, false},
		"NothingEquals": {conditions{one("path", "hub.none", "equals", "x")}, false},
		"Below":         {conditions{one("path", "singleuser", "matches", `\{user`)}, true},
		"Elsewhere":     {conditions{one("path", "hub", "matches", `\{user`)}, false},
		"Anywhere":      {conditions{one("matches", `\{username\}`)}, true},
		"Key":           {conditions{one("matches", "^reaper$")}, true},
		"NumberIsNone":  {conditions{one("path", "singleuser.profiles[0].cpu", "matches", "2")}, false},
		"InList":        {conditions{one("path", "singleuser.profiles", "matches", "^small$")}, true},
		"OneOfThem":     {conditions{one("path", "hub.none", "is", "there"), one("path", "hub.db", "is", "there")}, true},
		"NoneOfThem":    {conditions{one("path", "hub.none", "is", "there"), one("path", "none", "is", "there")}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := action.Env{Dir: t.TempDir()}
			write(t, env.Dir, "values.yaml", content, 0o600)
			obs, err := file.Match().Observe(t.Context(), env, map[string]any{
				"path": "values.yaml", "conditions": map[string]any{"it": tc.conditions},
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]any{"holds": map[string]any{"it": tc.want}}, obs.Output); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
			seen, err := json.Marshal(obs)
			if err != nil || strings.Contains(string(seen), "secret") {
				t.Errorf("what was seen holds a value of the file: %s, %v", seen, err)
			}
		})
	}
}

func TestMatchMistakes(t *testing.T) {
	t.Parallel()
	good := map[string]any{"path": "a", "is": "there"}
	cases := map[string]struct {
		content string
		in      map[string]any
		want    string
	}{
		"NoPath":       {"", map[string]any{"path": "", "conditions": map[string]any{"x": []any{good}}}, `field "path" must be the path of a file`},
		"NoConditions": {"", map[string]any{"path": "f", "conditions": map[string]any{}}, `field "conditions" is empty`},
		"EmptyList":    {"", map[string]any{"path": "f", "conditions": map[string]any{"x": []any{}}}, `field "conditions.x" is empty`},
		"Two": {
			"",
			map[string]any{"path": "f", "conditions": map[string]any{"x": []any{map[string]any{"path": "a", "is": "there", "equals": 1}}}},
			`field "conditions.x[0]": give one of is, equals and matches`,
		},
		"Nothing": {
			"",
			map[string]any{"path": "f", "conditions": map[string]any{"x": []any{map[string]any{"path": "a"}}}},
			`field "conditions.x[0]": give one of is, equals and matches`,
		},
		"IsOfAll": {
			"",
			map[string]any{"path": "f", "conditions": map[string]any{"x": []any{map[string]any{"is": "there"}}}},
			`field "conditions.x[0]": path is missing`,
		},
		"BadPattern": {
			"",
			map[string]any{"path": "f", "conditions": map[string]any{"x": []any{map[string]any{"matches": "("}}}},
			"field \"conditions.x[0]\": error parsing regexp: missing closing ): `(`",
		},
		"BadPath": {
			"",
			map[string]any{"path": "f", "conditions": map[string]any{"x": []any{map[string]any{"path": "a.", "is": "there"}}}},
			`field "conditions.x[0]": "a." is not a path such as items[0].name or labels["a.b"]: "" is no name: write ["…"] around it`,
		},
		"NotYAML": {"a: [", map[string]any{"path": "f", "conditions": map[string]any{"x": []any{good}}}, "read as YAML: f:"},
		"Missing": {"", map[string]any{"path": "g", "conditions": map[string]any{"x": []any{good}}}, `read file "g": no such file or directory`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := action.Env{Dir: t.TempDir()}
			write(t, env.Dir, "f", tc.content, 0o600)
			_, err := file.Match().Observe(t.Context(), env, tc.in)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got error %v, want %s", err, tc.want)
			}
		})
	}
}
