package helm

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	ociregistry "github.com/google/go-containerregistry/pkg/registry"
	"helm.sh/helm/v4/pkg/chart/loader"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/registry"
	"helm.sh/helm/v4/pkg/repo/v1"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
)

// packaged makes an archive of a chart of the tests.
func packaged(t *testing.T, name, dir string) string {
	t.Helper()
	c, err := loader.Load(filepath.Join("testdata/charts", name))
	if err != nil {
		t.Fatal(err)
	}
	file, err := chartutil.Save(c.(*chartv2.Chart), dir)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// repository serves charts as a chart repository does, which is a folder on the web; with
// a password it asks for that.
func repository(t *testing.T, password string) string {
	t.Helper()
	dir := t.TempDir()
	packaged(t, "shop-1.0.0", dir)
	packaged(t, "shop-2.0.0", dir)
	index, err := repo.IndexDirectory(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := index.WriteFile(filepath.Join(dir, "index.yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	files := http.FileServer(http.Dir(dir))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, got, _ := r.BasicAuth(); password != "" && got != password {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestChartSources reads the same chart from everywhere.
func TestChartSources(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	archive := packaged(t, "shop-2.0.0", dir)
	data, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	oci := httptest.NewServer(ociregistry.New(ociregistry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(oci.Close)
	address := strings.TrimPrefix(oci.URL, "http://") + "/charts/shop"
	client, err := registry.NewClient(registry.ClientOptPlainHTTP())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Push(data, address+":2.0.0"); err != nil {
		t.Fatal(err)
	}
	open, closed := repository(t, ""), repository(t, "planted-21-hunter2")
	secret := action.SecretRef{"env": "REPO"}
	password, _ := actiontest.Secrets{}.Resolve(t.Context(), secret)
	closedAt := repository(t, password)
	env := action.Env{Dir: dir, Secrets: actiontest.Secrets{}}
	cases := map[string]struct {
		wanted wanted
		reason string
		text   string
	}{
		"Folder":   {wanted: wanted{source: ChartSource{Path: absolutely(t, "testdata/charts/shop-2.0.0")}}},
		"Archive":  {wanted: wanted{source: ChartSource{Path: filepath.Base(archive)}, version: "2.0.0"}},
		"Repo":     {wanted: wanted{source: ChartSource{Repo: open, Name: "shop"}, version: "2.0.0"}},
		"RepoV":    {wanted: wanted{source: ChartSource{Repo: open + "/", Name: "shop"}, version: "v2.0.0"}},
		"OCI":      {wanted: wanted{source: ChartSource{OCI: "oci://" + address, PlainHTTP: true}, version: "2.0.0"}},
		"Password": {wanted: wanted{source: ChartSource{Repo: closedAt, Name: "shop"}, version: "2.0.0", user: "u", password: secret}},
		"NoPassword": {
			wanted{source: ChartSource{Repo: closed, Name: "shop"}, version: "2.0.0"},
			action.ReasonAccessRefused, "401 Unauthorized",
		},
		"NoVersion": {
			wanted{source: ChartSource{Repo: open, Name: "shop"}, version: "2.0.1"}, reasonChartNotFound, "has no such chart",
		},
		"NoChart": {
			wanted{source: ChartSource{Repo: open, Name: "shed"}, version: "2.0.0"}, reasonChartNotFound, "has no such chart",
		},
		"NoTag": {
			wanted{source: ChartSource{OCI: "oci://" + address, PlainHTTP: true}, version: "3.0.0"},
			reasonChartNotFound, "has no such chart",
		},
		"NoServer": {
			wanted{source: ChartSource{Repo: "http://127.0.0.1:1", Name: "shop"}, version: "2.0.0"},
			reasonChartUnavailable, "connection refused",
		},
		"NoPath":       {wanted{source: ChartSource{Path: "nothing"}}, reasonChartNotFound, "there is none"},
		"OtherVersion": {wanted{source: ChartSource{Path: archive}, version: "1.0.0"}, reasonChartNotFound, "2.0.0 instead of 1.0.0"},
		"Digest": {
			wanted{source: ChartSource{Path: archive, Digest: "sha256:00"}}, reasonChartInvalid, "instead of sha256:00",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := tc.wanted.load(t.Context(), env)
			if tc.reason != "" {
				if action.ReasonOf(err) != tc.reason || !strings.Contains(err.Error(), tc.text) {
					t.Fatalf("got %v, want %s with %q", err, tc.reason, tc.text)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if c.Metadata.Version != "2.0.0" || len(c.Templates) != 2 {
				t.Errorf("got version %s with %d templates", c.Metadata.Version, len(c.Templates))
			}
			if at, err := tc.wanted.isAt(t.Context(), env, c); err != nil || !at {
				t.Errorf("it is not what is asked for: %v", err)
			}
		})
	}
}

func absolutely(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestChartChanged tells a folder that was edited from the one that was installed,
// although its version is the same.
func TestChartChanged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/charts/shop-1.0.0")); err != nil {
		t.Fatal(err)
	}
	env, w := action.Env{Dir: dir}, wanted{source: ChartSource{Path: "."}}
	was, err := w.load(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"values.yaml", "templates/all.yaml"} {
		path := filepath.Join(dir, file)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		changed := bytes.Replace(data, []byte("hello"), []byte("bye"), 1)
		changed = bytes.Replace(changed, []byte("port: 80"), []byte("port: 81"), 1)
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if at, err := w.isAt(t.Context(), env, was); err != nil || at {
			t.Errorf("after a change of %s: got %v, %v", file, at, err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if at, err := w.isAt(t.Context(), env, was); err != nil || !at {
		t.Errorf("unchanged: got %v, %v", at, err)
	}
}

// TestChecks refuses inputs that make no sense, by the name of the field.
func TestChecks(t *testing.T) {
	t.Parallel()
	good := map[string]any{
		"release": "hub", "namespace": "jhub", "chart": map[string]any{"path": "hub"},
	}
	w := World{}
	cases := []struct {
		a     action.Action
		field string
		value any
		text  string
	}{
		{Upgrade(w), "release", "Hub", `field "release" is "Hub"`},
		{Upgrade(w), "namespace", "a.b", `field "namespace" is "a.b"`},
		{Upgrade(w), "chart", map[string]any{}, "needs one of path, repo and oci"},
		{Upgrade(w), "chart", map[string]any{"path": "a", "oci": "oci://b"}, "needs one of path, repo and oci"},
		{Upgrade(w), "chart", map[string]any{"repo": "https://a"}, "repo and name belong together"},
		{Upgrade(w), "chart", map[string]any{"oci": "oci://b/c"}, `field "version" is missing`},
		{Upgrade(w), "historyMax", int64(1), `field "historyMax" is 1`},
		{Upgrade(w), "secretValues", map[string]any{"a[0]": map[string]any{"env": "A"}}, "leads into a list"},
		{Rollback(w), "revision", int64(0), `field "revision" is 0`},
		{Uninstall(w), "backup", "x", `fields "store" and "backup" belong together`},
	}
	for _, tc := range cases {
		in := map[string]any{}
		for _, field := range tc.a.Spec().Input.FieldNames() {
			if value, ok := good[field]; ok {
				in[field] = value
			}
		}
		in[tc.field] = tc.value
		err := tc.a.(action.Checker).Check(in)
		if action.ReasonOf(err) != action.ReasonInvalidInput || !strings.Contains(fmt.Sprint(err), tc.text) {
			t.Errorf("%s: got %v, want %q", tc.a.Spec().Name, err, tc.text)
		}
	}
}

// TestValues lays values over another, the later over the earlier.
func TestValues(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"a.yaml": "a: 1\nb: {c: 1, d: 1}\n", "b.yaml": "b: {c: 2}\n", "bad.yaml": "secret: hunter2: x\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := action.Env{Dir: dir, Secrets: actiontest.Secrets{}}
	live := map[string]any{"live": true}
	v := valueSources{
		files: []string{"a.yaml", "b.yaml"}, inline: map[string]any{"b": map[string]any{"d": int64(3)}},
		secrets: map[string]action.SecretRef{"b.e.f": {"env": "X"}},
	}
	got, err := v.values(t.Context(), env, live, false)
	want := map[string]any{"a": int64(1), "b": map[string]any{"c": int64(2), "d": int64(3), "e": map[string]any{"f": "***"}}}
	if err != nil || !action.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	v.reuse = true
	if got, err = v.values(t.Context(), env, live, true); err != nil || got["live"] != true {
		t.Errorf("reused: got %v, %v", got, err)
	}
	if text := fmt.Sprint(got); !strings.Contains(text, "hunter2") {
		t.Errorf("the secret is not there: %s", text)
	}
	if got, err = (valueSources{}).values(t.Context(), env, live, true); err != nil || !action.Equal(got, live) {
		t.Errorf("nothing given: got %v, %v", got, err)
	}
	_, err = valueSources{files: []string{"bad.yaml"}}.values(t.Context(), env, live, true)
	if action.ReasonOf(err) != reasonValuesInvalid || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a bad file: got %v", err)
	}
	v = valueSources{inline: map[string]any{"b": "text"}, secrets: map[string]action.SecretRef{"b.e": {"env": "X"}}}
	if _, err = v.values(t.Context(), env, nil, true); action.ReasonOf(err) != reasonValuesInvalid {
		t.Errorf("a path through a text: got %v", err)
	}
}
