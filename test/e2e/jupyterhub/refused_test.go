package jupyterhub

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// TestFullRefused makes one mistake after the other, as they happen to people: each is found
// before anything was changed, and the message says what is wrong and where. Then the
// store of the backups is full, while the hub is already stopped; once there is room, the
// same run goes on to the end.
func TestFullRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, postgres, middle)
	before := s.work()
	values := s.read("values.yaml")
	kubeconfig := s.Kubeconfig
	for _, c := range []struct {
		name     string
		make     func()
		unmake   func()
		code     int
		contains []string
	}{
		{
			"user without ALTER", func() {
				s.admin("ALTER TABLE users OWNER TO postgres; GRANT SELECT, INSERT, UPDATE, DELETE ON users TO hub")
			},
			func() { s.admin("ALTER TABLE users OWNER TO hub") },
			exitBlocked,
			[]string{"to-4.4.0/privileges", "users", "OWNER"},
		},
		{
			"user image of another version", func() { s.inputs["userImage"] = "localhost/refit/jupyter:4.1.6" },
			func() { delete(s.inputs, "userImage") },
			exitHalted,
			[]string{"to-4.4.0/image-version", "has 4.1.6, needed is the minor version of 5.5.0"},
		},
		{
			"image that cannot be pulled", func() { s.inputs["userImage"] = "localhost/refit/nobody-has-it:1" },
			func() { delete(s.inputs, "userImage") },
			exitHalted,
			[]string{"to-4.4.0/images", "localhost/refit/nobody-has-it:1 on node "},
		},
		{
			"value that the chart has removed", func() {
				s.install(strings.Replace(values, "hub:\n", "hub:\n  extraConfigMap: {a: b}\n", 1))
			},
			func() { s.install(values) },
			exitHalted,
			[]string{"to-4.4.0/values", "REMOVED: hub.extraConfigMap"},
		},
		{
			"value that was set by hand", func() { s.rewrite("values.yaml", strings.Replace(values, "50Mi", "60Mi", 1)) },
			func() { s.rewrite("values.yaml", values) },
			exitBlocked,
			[]string{"to-4.4.0/values-as-installed", "singleuser.storage.capacity"},
		},
		{
			"account that may only look", func() { s.Kubeconfig = s.reader() },
			func() { s.Kubeconfig = kubeconfig },
			exitBlocked,
			[]string{"to-4.4.0/permitted", "does not permit: update deployments.apps hub in namespace", "to-4.4.0/chart-permitted"},
		},
	} {
		c.make()
		text := unwrap(s.apply(c.code))
		for _, want := range c.contains {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is not in\n%s", c.name, want, text)
			}
		}
		c.unmake()
		if c.code == exitHalted {
			s.refit.Must(exitDone, "cancel", s.run, "--reason", c.name)
		}
		s.is(middle, before)
		s.run += "x"
		if err := os.RemoveAll(filepath.Join(s.dir, "values-4.4.0.yaml")); err != nil {
			t.Fatal(err)
		}
	}

	store := filepath.Join(s.dir, "store")
	if err := syscall.Mount("tmpfs", store, "tmpfs", 0, "size=4k"); err != nil {
		t.Fatal(err)
	}
	mounted := true
	unmount := func() {
		if err := syscall.Unmount(store, 0); err != nil && mounted {
			t.Error(err)
		}
		mounted = false
	}
	defer unmount()
	text := s.apply(exitHalted)
	if !strings.Contains(text, "to-4.4.0/save") || !strings.Contains(text, "no space left") {
		t.Errorf("a store that is full: %s", text)
	}
	unmount()
	s.refit.Must(exitDone, "retry", s.run, "to-4.4.0", "save")
	s.refit.Must(exitDone, "drive", s.run)
	s.is(newest, before)
}

// install upgrades the release to other values, by helm.
func (s *site) install(values string) {
	s.t.Helper()
	s.rewrite("values.yaml", values)
	s.helm.Must(0, "upgrade", release, chart(middle.chart), "--values", "values.yaml", "--wait", "--timeout", "5m")
}

// unwrap makes one line of a text that was wrapped.
func unwrap(text string) string { return strings.Join(strings.Fields(text), " ") }

// admin carries a statement out as the administrator of the database server.
func (s *site) admin(statement string) {
	s.t.Helper()
	s.Must("db", "psql", "-h", "127.0.0.1", "-U", "postgres", "-d", "hub", "-v", "ON_ERROR_STOP=1", "-c", statement)
}

// read returns a file of the folder.
func (s *site) read(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// rewrite replaces a file of the folder.
func (s *site) rewrite(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// reader returns a kubeconfig of an account that may look at everything and change
// nothing.
func (s *site) reader() string {
	s.t.Helper()
	ctx, name := s.t.Context(), "reader"
	s.Account(name, rbacv1.PolicyRule{
		APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"get", "list", "watch"},
	}, rbacv1.PolicyRule{
		// What comes before the rights are asked for: the database is looked at.
		APIGroups: []string{""}, Resources: []string{"pods", "pods/exec", "pods/portforward", "secrets"},
		Verbs: []string{"create", "delete"},
	})
	bound := s.Name + "-" + name
	roles := s.Client.RbacV1()
	_, err := roles.ClusterRoles().Create(ctx, &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: bound},
		Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{""}, Resources: []string{"namespaces"}, Verbs: []string{"get"}},
			{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"*"}},
		},
	}, metav1.CreateOptions{})
	if err == nil {
		_, err = roles.ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: bound},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: bound},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: name, Namespace: s.Name}},
		}, metav1.CreateOptions{})
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		ctx := context.WithoutCancel(ctx) // That of the test has ended.
		err1 := roles.ClusterRoleBindings().Delete(ctx, bound, metav1.DeleteOptions{})
		err2 := roles.ClusterRoles().Delete(ctx, bound, metav1.DeleteOptions{})
		if err := errors.Join(err1, err2); err != nil {
			s.t.Error(err)
		}
	})
	return s.kubeconfig(name, s.Config.Host)
}

// kubeconfig writes a kubeconfig of an account of the namespace, for a server.
func (s *site) kubeconfig(account, server string) string {
	s.t.Helper()
	return s.kubeconfigFor(account, server, nil)
}

// kubeconfigFor is kubeconfig with a token that is worth something as long as a Secret is
// there. Whatever name the server has, its certificate is that of the cluster.
func (s *site) kubeconfigFor(account, server string, bound *corev1.Secret) string {
	s.t.Helper()
	request := &authenticationv1.TokenRequest{}
	if bound != nil {
		request.Spec.BoundObjectRef = &authenticationv1.BoundObjectReference{
			Kind: "Secret", APIVersion: "v1", Name: bound.Name, UID: bound.UID,
		}
	}
	issued, err := s.Client.CoreV1().ServiceAccounts(s.Name).CreateToken(s.t.Context(), account, request, metav1.CreateOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	own, err := url.Parse(s.Config.Host)
	if err != nil {
		s.t.Fatal(err)
	}
	config := api.NewConfig()
	config.Clusters["it"] = &api.Cluster{
		Server: server, CertificateAuthorityData: s.Config.CAData, CertificateAuthority: s.Config.CAFile,
		TLSServerName: own.Hostname(),
	}
	config.AuthInfos["it"] = &api.AuthInfo{Token: issued.Status.Token}
	name := cmp.Or(s.Context, "it")
	config.Contexts[name] = &api.Context{Cluster: "it", AuthInfo: "it"}
	config.CurrentContext = name
	file := filepath.Join(s.dir, account+".kubeconfig")
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		s.t.Fatal(err)
	}
	return file
}
