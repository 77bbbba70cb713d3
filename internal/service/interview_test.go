package service_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/service"
)

// asking is a procedure that asks for a value of every type.
const asking = `apiVersion: refit.dev/v1alpha1
kind: Procedure
metadata: {name: hub, summary: Upgrade the hub.}
targets:
  app: {kind: directory, description: Folder of the hub.}
  cluster: {kind: kubernetes, description: Where the hub runs.}
  model: {kind: juju, description: Where its charms are.}
inputs:
  url: {type: string, pattern: "https?://.+", description: Address of the hub.}
  workers: {type: int, default: 4, description: How many workers there are.}
  mode: {type: string, enum: [fast, careful], description: How it is done.}
  quiet: {type: bool, optional: true}
  hosts: {type: list, items: string, description: Machines.}
  wait: {type: duration, default: 5m}
  token: {type: secret, description: Token of the hub.}
  labels: {type: map, items: string, optional: true}
  database:
    type: object
    description: Where the data is.
    fields:
      kind: {type: string, enum: [sqlite, postgres]}
      size: {type: int, default: 1}
      password: {type: secret}
stages:
  - id: only
    steps:
      look: {phase: prepare, action: file.read, with: {path: "${inputs.url}"}}
`

// right answers everything that the procedure asks for.
func right() map[string]string {
	return map[string]string{
		"name": "hub-prod", "targets.app.path": "./app", "targets.cluster.context": "prod", "targets.model": "model=hub",
		"inputs.url": "https://hub.example.org", "inputs.mode": "fast", "inputs.hosts": "a, b", "inputs.token": "env:HUB_TOKEN",
		"inputs.database.kind": "sqlite", "inputs.database.password": "command:pass show hub",
	}
}

// interview begins an interview about the procedure.
func interview(t *testing.T, answers map[string]string) (*world, *service.Interview) {
	t.Helper()
	w := newWorld(t, map[string]string{"hub/procedure.yaml": asking})
	iv, err := w.Interview(service.InitRequest{
		File: w.path("platform.yaml"), Procedure: w.path("hub/procedure.yaml"), Answers: answers,
	})
	if err != nil {
		t.Fatal(err)
	}
	return w, iv
}

func TestInterviewWrites(t *testing.T) {
	t.Parallel()
	w, iv := interview(t, right())
	if err := iv.Save(false); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(w.path("platform.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"procedure: " + w.path("hub/procedure.yaml"), "    path: ./app", "    context: prod", "  hosts: [a, b]", "  token: {env: HUB_TOKEN}",
		"  # workers: 4", "  # Folder of the hub.", "    password: {command: [pass, show, hub]}", "    # size: 1", "  # labels:",
	} {
		if !strings.Contains(string(text), "\n"+line+"\n") {
			t.Errorf("the line %q is missing in\n%s", line, text)
		}
	}
	linted, err := w.Lint(t.Context(), []string{w.path("platform.yaml")})
	if err != nil || linted.Diagnostics.HasErrors() {
		t.Errorf("lint finds %v, %v", linted, err)
	}
	// A file that is there is not lost by accident.
	iv.Set("name", "other")
	if err := iv.Save(false); err == nil || !strings.Contains(err.Error(), "exists: give another name") {
		t.Errorf("a second file: %v", err)
	}
	if err := iv.Save(true); err != nil {
		t.Errorf("replacing it: %v", err)
	}
	if info, _ := os.Stat(w.path("platform.yaml")); info.Mode().Perm() != 0o644 {
		t.Errorf("the file has mode %s", info.Mode())
	}
	if left, _ := filepath.Glob(w.path(".refit-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestInterviewChecks judges single answers, while nothing else is answered, by
// what judges the file.
func TestInterviewChecks(t *testing.T) {
	t.Parallel()
	_, iv := interview(t, nil)
	for name, tc := range map[string]struct{ reason, key, text, want string }{
		"Name":         {"A name is of small letters.", "name", "Hub Prod", `name "Hub Prod" is not permitted`},
		"NoName":       {"A name is needed.", "name", " ", "an answer is needed"},
		"Url":          {"A pattern must match.", "inputs.url", "hub", `"hub" does not match the pattern of input "url"`},
		"GoodUrl":      {"Nothing is wrong with it.", "inputs.url", "https://x", ""},
		"Number":       {"A number is one.", "inputs.workers", "many", `input "workers": must be a whole number`},
		"Default":      {"Nothing stands for the default.", "inputs.workers", "", ""},
		"Enum":         {"One of the values.", "inputs.mode", "fats", `"fats" is not a permitted value: one of: careful, fast`},
		"Duration":     {"A duration has a unit.", "inputs.wait", "5", `input "wait": `},
		"List":         {"A list of texts.", "inputs.hosts", "a,b", ""},
		"Map":          {"A mapping is written as in YAML.", "inputs.labels", "{a: b}", ""},
		"NoMap":        {"Anything else is none.", "inputs.labels", "a", `input "labels": must be a map, is a string`},
		"Member":       {"A member is judged before the others are known.", "inputs.database.kind", "sqlite", ""},
		"BadMember":    {"And refused.", "inputs.database.kind", "mysql", `input "database.kind": "mysql" is not a permitted value`},
		"Secret":       {"A secret is never repeated.", "inputs.token", "hunter2", "a secret is never written here"},
		"SecretColon":  {"Nor one that looks like a reference.", "inputs.token", "hun:ter2", "a secret is never written here"},
		"SecretMember": {"Nor below an object.", "inputs.database.password", "hunter2", "a secret is never written here"},
		"Reference":    {"Where it is, is told.", "inputs.token", "file:token.txt", ""},
		"Full":         {"Also in full.", "inputs.token", "{env: A, prefix: 'Bearer '}", ""},
		"Path":         {"A target needs its path.", "targets.app.path", "", "an answer is needed"},
		"Pair":         {"Of a kind that says nothing there are pairs.", "targets.model", "prod", `"prod" is not KEY=VALUE`},
		"Store":        {"A store has an address.", "backup.store", "ftp://x", `backup store "ftp://x" is not an address`},
		"Window":       {"A window has four parts.", "windows", "Sat 22:00", `"Sat 22:00" is no window`},
		"Time":         {"Its time is one.", "windows", "Sat 25:00 4h UTC", `start "25:00" is not a time of the day`},
		"Zone":         {"Its zone exists.", "windows", "Sat 22:00 4h Mars/Base", `time zone "Mars/Base" does not exist`},
		"Second":       {"The second one is judged too.", "windows", "Sat 22:00 4h UTC; Moonday 1:00 1h UTC", `"Moonday"`},
		"Windows":      {"Two that are right.", "windows", "Sat,Sun 22:00 4h UTC; 2026-12-27 08:00 12h UTC finish", ""},
		"Nobody":       {"Nothing else is asked.", "inputs.ulr", "x", `nothing called "inputs.ulr" is asked`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := iv.Check(tc.key, tc.text); err != nil {
				got = err.Error()
			}
			if (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
				t.Errorf("%s got %q, want %q", tc.reason, got, tc.want)
			}
			if strings.Contains(got, "ter2") {
				t.Errorf("the secret stands in %q", got)
			}
		})
	}
}

// TestInterviewMissing tells everything at once.
func TestInterviewMissing(t *testing.T) {
	t.Parallel()
	_, iv := interview(t, map[string]string{"inputs.mode": "fats", "inputs.token": "hunter2"})
	err := iv.Save(false)
	if err == nil {
		t.Fatal("it was written")
	}
	var got []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		got = append(got, line[strings.Index(line, ": error: ")+len(": error: "):])
	}
	want := []string{
		"name is missing: give --name NAME (Lower case letters, digits and dashes; runs and reports carry it)",
		`target "app.path" is missing: give --target app.path=VALUE (Folder of the hub. Folder of this machine, absolute or relative to the platform file)`,
		`target "model" is missing: give --target model=KEY=VALUE (Where its charms are. What this kind needs, as KEY=VALUE, several separated by commas)`,
		`input "url" of type string is missing: give --input url=VALUE (Address of the hub)`,
		`input "mode": "fats" is not a permitted value: one of: careful, fast`,
		`input "hosts" of type list(string) is missing: give --input hosts=VALUE (Machines)`,
		"a secret is never written here, only where it is: env:NAME, file:PATH or command:PROGRAM ARGUMENT",
		`input "database.kind" of type string is missing: give --input database.kind=VALUE`,
		`input "database.password" of type secret is missing: give --input database.password=env:NAME, database.password=file:PATH or database.password=command:PROGRAM`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if iv.Exists() {
		t.Error("something was written")
	}
}

// TestInterviewShort takes short forms of answers, and refuses those to what
// nobody asks.
func TestInterviewShort(t *testing.T) {
	t.Parallel()
	answers := right()
	answers["targets.app"], answers["inputs.database"] = "./app", "{kind: postgres, size: 3, password: {file: pw}}"
	for _, key := range []string{"targets.app.path", "inputs.database.kind", "inputs.database.password"} {
		delete(answers, key)
	}
	_, iv := interview(t, answers)
	text, err := iv.Text()
	if err != nil || iv.Missing() != nil {
		t.Fatal(err, iv.Missing())
	}
	for _, line := range []string{"    path: ./app", "    kind: postgres", "    size: 3", "    password: {file: pw}"} {
		if !strings.Contains(string(text), "\n"+line+"\n") {
			t.Errorf("the line %q is missing in\n%s", line, text)
		}
	}
	w := newWorld(t, map[string]string{"procedure.yaml": asking})
	_, err = w.Interview(service.InitRequest{
		File: w.path("platform.yaml"), Procedure: w.path("procedure.yaml"), Answers: map[string]string{"inputs.ulr": "x"},
	})
	if err == nil || !strings.Contains(err.Error(), `asks for nothing called "ulr": did you mean "url"?`) {
		t.Errorf("got %v", err)
	}
}

// TestInterviewFinds lists what is there to choose from, and contexts of clusters.
func TestInterviewFinds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{
		"procedure.yaml": asking, "hub/procedure.yaml": asking, "versions.yaml": "kind: Versions\n", "broken.yaml": "{",
		"a.kube": "current-context: two\ncontexts: [{name: one}, {name: two}]\n", "b.kube": "contexts: [{name: three}]\n",
	})
	iv, err := w.Interview(service.InitRequest{File: w.path("platform.yaml"), Getenv: func(name string) string {
		return map[string]string{"KUBECONFIG": w.path("a.kube") + ":" + w.path("gone") + ":" + w.path("b.kube")}[name]
	}})
	if err != nil {
		t.Fatal(err)
	}
	list, err := iv.Procedures()
	if err != nil {
		t.Fatal(err)
	}
	want := []service.Option{
		{Value: w.path("procedure.yaml"), Text: "Upgrade the hub."}, {Value: w.path("hub/procedure.yaml"), Text: "Upgrade the hub."},
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := iv.Choose(list[0].Value); err != nil {
		t.Fatal(err)
	}
	for _, q := range iv.Questions() {
		if q.Key == "targets.cluster.context" {
			if diff := cmp.Diff([]string{"two", "one", "three"}, q.Suggestions); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
	}
}
