package kube_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube"
)

func TestFailure(t *testing.T) {
	pods := schema.GroupResource{Resource: "pods"}
	terminating := apierrors.NewForbidden(pods, "web", errors.New("unable to create new content in namespace x because it is being terminated"))
	terminating.ErrStatus.Details.Causes = append(terminating.ErrStatus.Details.Causes,
		metav1.StatusCause{Type: corev1.NamespaceTerminatingCause})
	webhook := apierrors.NewBadRequest(`admission webhook "policy.example.org" denied the request: no latest tags`)
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connect: connection refused")}
	read := &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset by peer")}

	cases := map[string]struct {
		err       error
		reason    string
		extent    action.Extent
		retryable bool
	}{
		"Unauthorized": {apierrors.NewUnauthorized("x"), action.ReasonAccessRefused, action.ExtentNone, false},
		"Certificate":  {fmt.Errorf("get: %w", tls.AlertError(45)), action.ReasonAccessRefused, action.ExtentNone, false},
		"Plugin": {
			errors.New("getting credentials: exec: executable aws failed with exit code 255"),
			action.ReasonAccessRefused, action.ExtentNone, false,
		},
		"RBAC": {
			apierrors.NewForbidden(pods, "web", errors.New(`User "x" cannot get resource "pods"`)),
			action.ReasonAccessRefused, action.ExtentNone, false,
		},
		"Quota":       {apierrors.NewForbidden(pods, "web", errors.New("exceeded quota: small")), kube.ReasonDenied, action.ExtentNone, false},
		"Webhook":     {webhook, kube.ReasonDenied, action.ExtentNone, false},
		"WebhookAway": {apierrors.NewInternalError(errors.New("failed calling webhook")), kube.ReasonUnreachable, action.ExtentUnknown, true},
		"Terminating": {terminating, kube.ReasonTerminating, action.ExtentNone, false},
		"NotFound":    {apierrors.NewNotFound(pods, "web"), kube.ReasonNotFound, action.ExtentNone, false},
		"Conflict":    {apierrors.NewConflict(pods, "web", errors.New("changed")), kube.ReasonConflict, action.ExtentNone, true},
		"Exists":      {apierrors.NewAlreadyExists(pods, "web"), kube.ReasonConflict, action.ExtentNone, false},
		"Invalid":     {apierrors.NewInvalid(schema.GroupKind{Kind: "Pod"}, "web", nil), kube.ReasonInvalid, action.ExtentNone, false},
		"Dial":        {fmt.Errorf("get: %w", dial), kube.ReasonUnreachable, action.ExtentNone, true},
		"Busy":        {apierrors.NewTooManyRequests("busy", 1), kube.ReasonUnreachable, action.ExtentNone, true},
		"Reset":       {fmt.Errorf("get: %w", read), kube.ReasonUnreachable, action.ExtentUnknown, true},
		"Deadline":    {context.DeadlineExceeded, kube.ReasonUnreachable, action.ExtentUnknown, true},
		"Timeout":     {apierrors.NewServerTimeout(pods, "get", 1), kube.ReasonUnreachable, action.ExtentUnknown, true},
		"Gone":        {apierrors.NewResourceExpired("too old"), kube.ReasonRefused, action.ExtentNone, false},
		"Other":       {errors.New("something"), kube.ReasonRefused, action.ExtentUnknown, false},
		"Ours": {
			&action.Error{Reason: "Mine", Retryable: true, Effect: action.ExtentPartial, Err: errors.New("x")},
			"Mine", action.ExtentPartial, true,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var failed *action.Error
			if err := kube.Failure("read pod web", tc.err, action.ExtentUnknown); !errors.As(err, &failed) {
				t.Fatalf("%T: %v", err, err)
			}
			if failed.Reason != tc.reason || failed.Effect != tc.extent || failed.Retryable != tc.retryable {
				t.Errorf("%s, %s, retryable %t; want %s, %s, %t", failed.Reason, failed.Effect, failed.Retryable,
					tc.reason, tc.extent, tc.retryable)
			}
			if !strings.HasPrefix(failed.Error(), "read pod web: ") {
				t.Errorf("does not say what was being done: %s", failed)
			}
		})
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	good := write(t, dir, "config", config("https://127.0.0.1:1"))
	empty := write(t, dir, "empty", "apiVersion: v1\nkind: Config\n")
	broken := write(t, dir, "broken", "apiVersion: [")

	cases := map[string]struct {
		environ             []string
		kubeconfig, context string
		want                string // of the error; empty for none
	}{
		"Absolute":    {kubeconfig: good},
		"Relative":    {kubeconfig: "config"},
		"Environment": {environ: []string{"KUBECONFIG=" + good + ":" + filepath.Join(dir, "nowhere")}},
		"Home":        {environ: []string{"HOME=" + dir}, want: ".kube/config"},
		"Nothing":     {want: "set KUBECONFIG, or kubeconfig: in the platform file"},
		"Missing":     {kubeconfig: "nowhere", want: "no such file"},
		"Broken":      {kubeconfig: broken, want: "correct it"},
		"NoCurrent":   {kubeconfig: empty, want: "no current context"},
		"Misspelt":    {kubeconfig: good, context: "prd", want: `did you mean "prod"?`},
		"Unknown":     {kubeconfig: good, context: "elsewhere", want: "one of: prod"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			cluster, err := kube.NewConnector(tc.environ).Open(tc.kubeconfig, tc.context, dir)
			switch {
			case tc.want == "" && err != nil:
				t.Fatal(err)
			case tc.want == "" && !strings.HasPrefix(cluster.Name, "prod (https://127.0.0.1:1"):
				t.Errorf("is called %q", cluster.Name)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("error %v, want %q in it", err, tc.want)
			case tc.want != "" && action.ReasonOf(err) != kube.ReasonConfig:
				t.Errorf("reason %q", action.ReasonOf(err))
			}
		})
	}
}

// A token that was renewed in the file is used without a restart.
func TestRenewedCredentials(t *testing.T) {
	var seen []string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization"))
		http.Error(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","code":401,"reason":"Unauthorized"}`, http.StatusUnauthorized)
	}))
	defer server.Close()
	dir := t.TempDir()
	connector := kube.NewConnector(nil)
	ask := func(token string) {
		t.Helper()
		write(t, dir, "config", strings.NewReplacer("TOKEN", token, "server:", "insecure-skip-tls-verify: true, server:").Replace(config(server.URL)))
		cluster, err := connector.Open("config", "", dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := cluster.Identity(t.Context()); action.ReasonOf(err) != action.ReasonAccessRefused {
			t.Errorf("error %v", err)
		}
		again, err := connector.Open("config", "", dir)
		if err != nil || again != cluster {
			t.Errorf("a connection is kept while the file stays: %v", err)
		}
	}
	ask("old")
	ask("new")
	if want := "Bearer old,Bearer new"; strings.Join(seen, ",") != want {
		t.Errorf("sent %q, want %q", seen, want)
	}
}

func TestLabelValue(t *testing.T) {
	if got := kube.LabelValue("run-1/step-1"); len(got) != 24 || got[0] != 'r' || got == kube.LabelValue("run-1/step-2") {
		t.Errorf("label %q", got)
	}
}

func config(server string) string {
	return `apiVersion: v1
kind: Config
current-context: prod
contexts: [{name: prod, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "` + server + `"}}]
users: [{name: u, user: {token: TOKEN}}]
`
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
