package kube_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	kubeaction "github.com/refitproject/refit/internal/action/kube"
	"github.com/refitproject/refit/internal/kube"
	"github.com/refitproject/refit/internal/kube/kubetest"
)

func TestClusterVersionSuite(t *testing.T) {
	s := kubetest.New(t)
	actiontest.Run(t, actiontest.Suite{
		Permit: kubetest.Permit,
		Action: kubeaction.Version(s.Connector), Examples: "testdata/version/*.yaml",
		World: func(*testing.T) actiontest.World { return actiontest.World{Env: s.Env(), State: s.State} },
	})
}

func TestClusterVersion(t *testing.T) {
	s := kubetest.New(t)
	obs, err := kubeaction.Version(s.Connector).Observe(t.Context(), s.Env(), map[string]any{})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := obs.Output["version"].(string); !regexp.MustCompile(`^v1\.\d+\.\d+`).MatchString(got) {
		t.Errorf("version is %q", got)
	}
	if obs.Output["platform"] == "" {
		t.Error("platform is empty")
	}
}

func TestVersionOfOthers(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		status     int
		body       string
		wantReason string
		want       map[string]any
	}{
		"Vendor": {200, `{"major":"1","minor":"29+","gitVersion":"v1.29.4-eks-036c24b","platform":"linux/amd64"}`, "", map[string]any{
			"version": "v1.29.4-eks-036c24b", "platform": "linux/amd64",
		}},
		"WebServer": {200, "<html>It works!</html>", "NotKubernetes", nil},
		"OtherJSON": {200, `{"version": "1"}`, "NotKubernetes", nil},
		"Refused":   {403, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403}`, "AccessRefused", nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(tc.status)
				_, _ = w.Write([]byte(tc.body))
			}))
			t.Cleanup(server.Close)
			file := filepath.Join(t.TempDir(), "config")
			config := "apiVersion: v1\nkind: Config\ncurrent-context: c\n" +
				"clusters: [{name: c, cluster: {server: '" + server.URL + "'}}]\n" +
				"contexts: [{name: c, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {}}]\n"
			if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
				t.Fatal(err)
			}
			env := action.Env{Target: action.Target{Name: "c", Kind: kube.KindTarget, Config: map[string]any{"kubeconfig": file}}}
			obs, err := kubeaction.Version(kube.NewConnector(nil)).Observe(t.Context(), env, map[string]any{})
			var failed *action.Error
			if errors.As(err, &failed); failed != nil && failed.Reason != tc.wantReason || failed == nil && tc.wantReason != "" {
				t.Fatalf("got error %v, want reason %q", err, tc.wantReason)
			}
			if diff := cmp.Diff(tc.want, obs.Output); err == nil && diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
		})
	}
}
