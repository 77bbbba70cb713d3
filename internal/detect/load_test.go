package detect_test

import (
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/detect"
	"github.com/refitproject/refit/internal/schema"
)

const head = "apiVersion: refit.dev/v1alpha1\nkind: Detection\nhelm: {chart: hub}\n"

// asked are the inputs of a procedure.
func asked() schema.Type {
	text := schema.Field{Type: schema.Of(schema.String)}
	database := schema.ObjectOf(map[string]schema.Field{"kind": text, "host": text})
	return schema.ObjectOf(map[string]schema.Field{
		"release": text, "url": text, "token": {Type: schema.Of(schema.Secret)}, "database": {Type: database},
	})
}

func TestLoad(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		text, want string // want is in a diagnostic; empty for none
	}{
		"Good":        {"inputs: {release: {value: '${release.name}'}, database.kind: {value: '${values.db.type}'}}\n", ""},
		"Person":      {"inputs: {token: {otherwise: Make one.}}\n", ""},
		"Reference":   {"inputs: {token: {value: {env: TOKEN}}}\n", ""},
		"List":        {"lists: {services: {apiVersion: v1, kind: Service}}\ninputs: {url: {value: '${services[0].spec.host}'}}\n", ""},
		"Misspelt":    {"inputs: {relase: {value: x}}\n", `did you mean "release"?`},
		"Member":      {"inputs: {database.hots: {value: x}}\n", "one of: host, kind"},
		"Empty":       {"inputs: {url: {}}\n", "nothing says where input"},
		"SecretValue": {"inputs: {token: {value: '${values.token}'}}\n", "never read from a cluster"},
		"Secrets":     {"lists: {all: {apiVersion: v1, kind: Secret}}\ninputs: {url: {value: x}}\n", "Secrets are not read"},
		"Taken":       {"lists: {values: {apiVersion: v1, kind: Pod}}\ninputs: {url: {value: x}}\n", "is a variable already"},
		"NoVariable":  {"inputs: {url: {value: '${relese.name}'}}\n", "relese"},
		"NoField":     {"inputs: {url: {value: '${release.nam}'}}\n", "nam"},
		"NoInputs":    {"", `needs the key "inputs"`},
		"Version":     {"inputs: {url: {value: x}}\n", "is not known"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := head + tc.text
			if name == "Version" {
				text = strings.Replace(text, "v1alpha1", "v9", 1)
			}
			rules, ds := detect.Load("detect.yaml", []byte(text), asked())
			var said []string
			for _, d := range ds {
				said = append(said, d.String())
			}
			all := strings.Join(said, "\n")
			switch {
			case tc.want == "" && (rules == nil || rules.Chart != "hub"):
				t.Errorf("refused: %s", all)
			case tc.want != "" && (rules != nil || !strings.Contains(all, tc.want)):
				t.Errorf("got %v, %s, want %q", rules, all, tc.want)
			}
		})
	}
}
