package kubetest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/actiontest"
	"github.com/refitproject/refit/internal/kube"
)

// The environment variables that name the kubeconfig of the cluster, and its context
// when that is not the current one.
const (
	Variable        = "REFIT_TEST_KUBECONFIG"
	ContextVariable = "REFIT_TEST_CONTEXT"
)

// Patience is how long the cluster may take for what it does at once when it is idle.
const Patience = 2 * time.Minute

// Space is a namespace of one test. Its methods are not safe for concurrent use.
type Space struct {
	// Name is the namespace.
	Name       string
	Kubeconfig string
	Cluster    *kube.Cluster
	Connector  *kube.Connector

	t *testing.T
}

// Needed returns the kubeconfig of the cluster. Without one the test is skipped, or
// fails where all tests were asked for: make test leaves those in a cluster out.
func Needed(t *testing.T) string {
	t.Helper()
	file := os.Getenv(Variable)
	if file == "" && os.Getenv("REFIT_TEST") == "all" {
		t.Fatalf("needs a cluster, and all tests were asked for: set %s to a kubeconfig", Variable)
	}
	if file == "" {
		t.Skipf("needs a cluster: make e2e brings one up, or set %s to a kubeconfig", Variable)
	}
	return file
}

// New makes a namespace that is deleted with the test. Without a cluster the test is
// skipped.
func New(t *testing.T) *Space {
	t.Helper()
	file := Needed(t)
	connector := kube.NewConnector(os.Environ())
	cluster, err := connector.Open(file, os.Getenv(ContextVariable), "")
	if err != nil {
		t.Fatal(err)
	}
	s := &Space{
		Name: "test-" + strings.ToLower(rand.Text()[:10]), Kubeconfig: file,
		Cluster: cluster, Connector: connector, t: t,
	}
	namespaces := cluster.Typed.CoreV1().Namespaces()
	made := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: s.Name, Labels: map[string]string{"refit.dev/test": "true"},
	}}
	if _, err := namespaces.Create(t.Context(), made, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), Patience)
		defer cancel()
		err := namespaces.Delete(ctx, s.Name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			t.Errorf("leave nothing behind: %v", err)
		}
	})
	s.Within(Patience, "the account of the namespace", func(ctx context.Context) (bool, string) {
		_, err := cluster.Typed.CoreV1().ServiceAccounts(s.Name).Get(ctx, "default", metav1.GetOptions{})
		return err == nil, fmt.Sprint(err)
	})
	return s
}

// Env is the environment of a step on the cluster.
func (s *Space) Env() action.Env {
	config := map[string]any{"kubeconfig": s.Kubeconfig}
	if context := os.Getenv(ContextVariable); context != "" {
		config["context"] = context
	}
	return action.Env{
		Key: "run-1/step-1", Dir: s.t.TempDir(), Now: time.Now, Secrets: actiontest.Secrets{},
		Target: action.Target{
			Name: "cluster", Kind: kube.KindTarget, Config: config,
		},
	}
}

// As returns a kubeconfig with a token of an account of the namespace.
func (s *Space) As(account string) string {
	s.t.Helper()
	token, err := s.Cluster.Typed.CoreV1().ServiceAccounts(s.Name).CreateToken(s.t.Context(), account,
		&authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: new(int64(3600))}},
		metav1.CreateOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["c"] = &clientcmdapi.Cluster{
		Server: s.Cluster.Rest.Host, CertificateAuthorityData: s.Cluster.Rest.CAData,
		CertificateAuthority: s.Cluster.Rest.CAFile,
	}
	config.AuthInfos["u"] = &clientcmdapi.AuthInfo{Token: token.Status.Token}
	config.Contexts["account"] = &clientcmdapi.Context{Cluster: "c", AuthInfo: "u"}
	config.CurrentContext = "account"
	file := filepath.Join(s.t.TempDir(), "kubeconfig")
	data, err := clientcmd.Write(*config)
	if err == nil {
		err = os.WriteFile(file, data, 0o600)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return file
}

// Images makes the images of the test bed's recipes and loads them into the cluster,
// where they are not there already.
func (s *Space) Images(recipes ...string) {
	s.t.Helper()
	program := os.Getenv("REFIT_TESTBED")
	if program == "" {
		return // Whoever has a cluster of their own has loaded them.
	}
	args := append([]string{"images", "load", "--name", os.Getenv("REFIT_CLUSTER_NAME")}, recipes...)
	if out, err := exec.CommandContext(s.t.Context(), program, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("load images: %v: %s", err, out)
	}
}

// Apply makes or changes objects, of YAML with several documents, in the namespace
// where they name no other one.
func (s *Space) Apply(text string) {
	s.t.Helper()
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(object); err != nil {
			break // the end of the text; what cannot be read fails as a kind that nobody knows
		}
		if len(object.Object) == 0 {
			continue
		}
		mapping, err := s.Cluster.Resource(object.GroupVersionKind())
		if err != nil {
			s.t.Fatal(err)
		}
		namespace := object.GetNamespace()
		if namespace == "" {
			namespace = s.Name
		}
		_, err = s.Cluster.For(mapping, namespace).Apply(s.t.Context(), object.GetName(), object,
			metav1.ApplyOptions{FieldManager: "kubetest", Force: true})
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

// Delete deletes an object that has no namespace, or is in this one, at the end of a
// test.
func (s *Space) Delete(kind schema.GroupVersionKind, name string) {
	s.t.Helper()
	mapping, err := s.Cluster.Resource(kind)
	if err != nil {
		s.t.Error(err)
		return
	}
	// The context of the test has ended when its cleanup runs.
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	err = s.Cluster.For(mapping, s.Name).Delete(ctx, name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		s.t.Error(err)
	}
}

// Within waits until f answers true, or fails the test with what it says.
func (s *Space) Within(limit time.Duration, what string, f func(ctx context.Context) (bool, string)) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), limit)
	defer cancel()
	for {
		done, why := f(ctx)
		if done {
			return
		}
		select {
		case <-ctx.Done():
			s.t.Fatalf("%s did not come within %s: %s", what, limit, why)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// State lists what people made in the namespace, without what the cluster adds to it
// by itself: it differs when the world does.
func (s *Space) State(t *testing.T) string {
	t.Helper()
	lists, err := discovery.ServerPreferredNamespacedResources(s.Cluster.Discovery)
	if err != nil && len(lists) == 0 {
		t.Fatal(err)
	}
	var lines []string
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			t.Fatal(err)
		}
		for _, resource := range list.APIResources {
			if !slices.Contains(resource.Verbs, "list") || ownedByCluster(resource.Name) {
				continue
			}
			lines = append(lines, s.lines(t, version.WithResource(resource.Name))...)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// lines lists what people made of one kind.
func (s *Space) lines(t *testing.T, kind schema.GroupVersionResource) []string {
	t.Helper()
	objects, err := s.Cluster.Dynamic.Resource(kind).Namespace(s.Name).List(t.Context(), metav1.ListOptions{})
	if apierrors.IsNotFound(err) { // a kind of another test, which has gone
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for i := range objects.Items {
		if line := line(t, &objects.Items[i]); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// ownedByCluster tells of kinds that only controllers make.
func ownedByCluster(resource string) bool {
	return slices.Contains([]string{
		"events", "endpoints", "endpointslices", "replicasets", "controllerrevisions", "csistoragecapacities",
	}, resource)
}

// line is one object as text; nothing for what controllers have made.
func line(t *testing.T, object *unstructured.Unstructured) string {
	t.Helper()
	if object.GetName() == "kube-root-ca.crt" ||
		object.GetKind() == "ServiceAccount" && object.GetName() == "default" ||
		len(object.GetOwnerReferences()) > 0 || ofPermit(object) {
		return ""
	}
	annotations := object.GetAnnotations()
	for key := range annotations {
		for _, prefix := range []string{"deployment.kubernetes.io/", "pv.kubernetes.io/", "volume."} {
			if strings.HasPrefix(key, prefix) {
				delete(annotations, key)
			}
		}
	}
	if len(annotations) == 0 {
		annotations = nil // Whether a controller has been there already does not count.
	}
	object.SetAnnotations(annotations)
	for _, field := range []string{"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"} {
		unstructured.RemoveNestedField(object.Object, "metadata", field)
	}
	for _, path := range [][]string{{"status"}, {"spec", "volumeName"}, {"spec", "nodeName"}} {
		unstructured.RemoveNestedField(object.Object, path...)
	}
	data, err := json.Marshal(object.Object)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// controllerUID is what the controller of jobs puts into them, another one each time.
var controllerUID = regexp.MustCompile(`"(batch\.kubernetes\.io/)?controller-uid":"[^"]*"`)

// PodWorld is a namespace in which pods run, with an image that has a shell. Its state is
// without what differs between two jobs that are the same.
func PodWorld(t *testing.T) actiontest.World {
	t.Helper()
	space := New(t)
	space.Images("busybox")
	return actiontest.World{
		Env: space.Env(), Adapt: func(in map[string]any) { in["namespace"] = space.Name },
		State: func(t *testing.T) string {
			t.Helper()
			text := strings.ReplaceAll(space.State(t), space.Name, "NAMESPACE")
			return controllerUID.ReplaceAllString(text, "")
		},
	}
}
