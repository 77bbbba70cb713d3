package kube_test

import (
	"os"
	"path/filepath"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/kube/kubetest"
)

// asAccount is the environment of a step that uses an account of the namespace, by a
// kubeconfig with a token of it.
func asAccount(t *testing.T, space *kubetest.Space, account string) action.Env {
	t.Helper()
	token, err := space.Cluster.Typed.CoreV1().ServiceAccounts(space.Name).CreateToken(t.Context(), account,
		&authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: new(int64(3600))}},
		metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["c"] = &clientcmdapi.Cluster{
		Server: space.Cluster.Rest.Host, CertificateAuthorityData: space.Cluster.Rest.CAData,
		CertificateAuthority: space.Cluster.Rest.CAFile,
	}
	config.AuthInfos["u"] = &clientcmdapi.AuthInfo{Token: token.Status.Token}
	config.Contexts["account"] = &clientcmdapi.Context{Cluster: "c", AuthInfo: "u"}
	config.CurrentContext = "account"
	file := filepath.Join(t.TempDir(), "kubeconfig")
	data, err := clientcmd.Write(*config)
	if err == nil {
		err = os.WriteFile(file, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	env := space.Env()
	env.Target.Config = map[string]any{"kubeconfig": file}
	return env
}
