package pki

import (
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

func issue(t *testing.T) (dir string, roots *x509.CertPool, leaf func(string) *x509.Certificate) {
	t.Helper()
	dir = t.TempDir()
	ca, err := NewAuthority(dir, "ca", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for file, s := range map[string]Subject{
		"server": {Name: "api", Hosts: []string{"localhost"}, Addresses: []netip.Addr{netip.MustParseAddr("10.200.0.2")}},
		"user":   {Name: "ada", Groups: []string{"devs"}},
	} {
		if err := ca.Issue(file, s); err != nil {
			t.Fatal(err)
		}
	}
	pem, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatal("the authority's certificate cannot be read")
	}
	return dir, roots, func(name string) *x509.Certificate {
		pair, err := tls.LoadX509KeyPair(filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key"))
		if err != nil {
			t.Fatal(err)
		}
		return pair.Leaf
	}
}

func TestIssue(t *testing.T) {
	t.Parallel()
	dir, roots, leaf := issue(t)
	server, user := []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	for _, host := range []string{"localhost", "10.200.0.2"} {
		if _, err := leaf("server").Verify(x509.VerifyOptions{Roots: roots, DNSName: host, KeyUsages: server}); err != nil {
			t.Errorf("the server as %s: %v", host, err)
		}
	}
	if _, err := leaf("server").Verify(x509.VerifyOptions{Roots: roots, DNSName: "elsewhere"}); err == nil {
		t.Error("the server passes for elsewhere")
	}
	if _, err := leaf("user").Verify(x509.VerifyOptions{Roots: roots, KeyUsages: user}); err != nil {
		t.Errorf("the user: %v", err)
	}
	if _, err := leaf("user").Verify(x509.VerifyOptions{Roots: roots, KeyUsages: server}); err == nil {
		t.Error("the user passes for a server")
	}
	if got := leaf("user").Subject; got.CommonName != "ada" || got.Organization[0] != "devs" {
		t.Errorf("the user is %s", got)
	}
	_, others, _ := issue(t)
	if _, err := leaf("user").Verify(x509.VerifyOptions{Roots: others, KeyUsages: user}); err == nil {
		t.Error("a certificate is good in another cluster")
	}
	info, err := os.Stat(filepath.Join(dir, "user.key"))
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("the key: %v, %v", info.Mode(), err)
	}
}

func TestKubeconfig(t *testing.T) {
	t.Parallel()
	dir, _, _ := issue(t)
	file := filepath.Join(dir, "kubeconfig")
	at := func(name string) string { return filepath.Join(dir, name) }
	k := Kubeconfig{Cluster: "refit-a", Server: "https://10.200.0.2:6443", CA: at("ca.crt"), Cert: at("user.crt"), Key: at("user.key")}
	if err := k.Write(file, os.ReadFile); err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", file)
	if err != nil || config.Host != k.Server || len(config.CertData) == 0 {
		t.Errorf("got %+v, %v", config, err)
	}
	k.Key = at("none")
	if err := k.Write(file, os.ReadFile); err == nil {
		t.Error("a kubeconfig without a key was written")
	}
}
