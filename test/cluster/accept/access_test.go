package accept

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// account makes a client that is the service account of a namespace.
func account(t *testing.T, ns string) kubernetes.Interface {
	t.Helper()
	token, err := the.client.Typed.CoreV1().ServiceAccounts(ns).CreateToken(t.Context(), "default",
		&authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	config := rest.AnonymousClientConfig(the.client.Config)
	config.BearerToken = token.Status.Token
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestRBAC(t *testing.T) {
	t.Parallel()
	root(t)
	ns := namespace(t)
	client := account(t, ns)
	_, err := client.CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{})
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "system:serviceaccount:"+ns+":default") {
		t.Fatalf("without a role: %v", err)
	}
	roles := the.client.Typed.RbacV1()
	role := &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Name: "see"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"list"}}},
	}
	if _, err := roles.Roles(ns).Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "see"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "see"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: "default", Namespace: ns}},
	}
	if _, err := roles.RoleBindings(ns).Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	within(t, "the role", func(ctx context.Context) (bool, string) {
		_, err := client.CoreV1().Pods(ns).List(ctx, metav1.ListOptions{})
		return err == nil, fmt.Sprint(err)
	})
	if _, err := client.CoreV1().Secrets(ns).List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("with a role for pods, secrets: %v", err)
	}
}

// Nobody gets in without a certificate or a token: neither to the API server nor
// to the kubelet.
func TestAnonymous(t *testing.T) {
	t.Parallel()
	root(t)
	ns := namespace(t)
	server := the.client.Config.Host
	kubelet := strings.TrimSuffix(server, ":6443") + ":10250"
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // It asks as an attacker would.
	}}
	ask := func(url, token string) int {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode
	}
	for _, url := range []string{server + "/readyz", server + "/version", kubelet + "/pods", kubelet + "/metrics"} {
		if code := ask(url, ""); code != http.StatusUnauthorized {
			t.Errorf("%s answers %d to nobody", url, code)
		}
	}
	token, err := the.client.Typed.CoreV1().ServiceAccounts(ns).CreateToken(t.Context(), "default",
		&authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if code := ask(kubelet+"/pods", token.Status.Token); code != http.StatusForbidden {
		t.Errorf("the kubelet answers %d to an account without a role", code)
	}
	// The certificate of the server is of the cluster's own authority.
	if text, err := get(t.Context(), server+"/version"); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("without the cluster's authority: %q, %v", text, err)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	root(t)
	text, err := the.client.Typed.Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(t.Context())
	if err != nil || !strings.Contains(string(text), "\napiserver_request_total{") {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}
