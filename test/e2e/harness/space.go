package harness

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Space is the namespace of one test. Its methods fail the test when what they
// are asked for does not come about.
type Space struct {
	// Name is that of the namespace.
	Name string
	// Client and Config reach the cluster.
	Client kubernetes.Interface
	Config *rest.Config
	// Kubeconfig and Context are for programs; no context is the current one.
	Kubeconfig, Context string

	t   *testing.T
	bed *bed
}

// mark is the label of all namespaces of tests.
const mark = "refit.testbed/test"

// New makes a namespace of the test's own. After the test it is removed, with
// all that is in it; when the test has failed, that is described in a folder
// first, which the test names.
func New(t *testing.T) *Space {
	t.Helper()
	if shared == nil {
		t.Skipf("it needs a cluster, which %s=1 permits: see make e2e", Enabled)
	}
	s := &Space{
		Client: shared.client, Config: shared.config, Kubeconfig: shared.file, Context: shared.context,
		t: t, bed: shared.bed,
	}
	ns, err := s.Client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "e2e-", Labels: map[string]string{mark: "true"}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("make a namespace: %v", err)
	}
	s.Name = ns.Name
	t.Cleanup(func() {
		// That of the test has ended.
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if t.Failed() {
			s.keep(ctx)
		}
		now := int64(0)
		options := metav1.DeleteOptions{GracePeriodSeconds: &now}
		if err := s.Client.CoreV1().Namespaces().Delete(ctx, s.Name, options); err != nil {
			t.Errorf("remove namespace %s: %v", s.Name, err)
		}
	})
	s.Within(30*time.Second, "the service account of "+s.Name, func(ctx context.Context) (bool, string) {
		_, err := s.Client.CoreV1().ServiceAccounts(s.Name).Get(ctx, "default", metav1.GetOptions{})
		return err == nil, fmt.Sprint(err)
	})
	return s
}

// Images makes the images of recipes and loads them into the cluster, where they
// are not there already.
func (s *Space) Images(recipes ...string) {
	s.t.Helper()
	if s.bed == nil {
		return // Whoever has a cluster of their own has loaded them.
	}
	if _, err := s.bed.run(s.t.Context(), append([]string{"images", "load"}, recipes...)...); err != nil {
		s.t.Fatal(err)
	}
}

// Volume makes a claim of the default class.
func (s *Space) Volume(name, size string) {
	s.t.Helper()
	_, err := s.Client.CoreV1().PersistentVolumeClaims(s.Name).Create(s.t.Context(), &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources: corev1.VolumeResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)},
			},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		s.t.Fatalf("make volume %s: %v", name, err)
	}
}

// Service makes the pods that have the label app=name reachable by that name.
func (s *Space) Service(name string, ports ...int32) {
	s.t.Helper()
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": name}},
	}
	for _, port := range ports {
		service.Spec.Ports = append(service.Spec.Ports, corev1.ServicePort{
			Name: "port-" + strconv.Itoa(int(port)), Port: port, TargetPort: intstr.FromInt32(port),
		})
	}
	if _, err := s.Client.CoreV1().Services(s.Name).Create(s.t.Context(), service, metav1.CreateOptions{}); err != nil {
		s.t.Fatalf("make Service %s: %v", name, err)
	}
}

// Account makes a service account that may do something in the namespace.
func (s *Space) Account(name string, rules ...rbacv1.PolicyRule) {
	s.t.Helper()
	meta, options := metav1.ObjectMeta{Name: name}, metav1.CreateOptions{}
	roles := s.Client.RbacV1()
	accounts := s.Client.CoreV1().ServiceAccounts(s.Name)
	_, err1 := accounts.Create(s.t.Context(), &corev1.ServiceAccount{ObjectMeta: meta}, options)
	_, err2 := roles.Roles(s.Name).Create(s.t.Context(), &rbacv1.Role{ObjectMeta: meta, Rules: rules}, options)
	_, err3 := roles.RoleBindings(s.Name).Create(s.t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: meta,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: name, Namespace: s.Name}},
	}, options)
	if err := errors.Join(err1, err2, err3); err != nil {
		s.t.Fatalf("make account %s: %v", name, err)
	}
}

// Within asks until the answer is yes. When it is not in time the test fails,
// with what it waited for and the last reason.
func (s *Space) Within(limit time.Duration, what string, ask func(context.Context) (ok bool, why string)) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), limit)
	defer cancel()
	why := ""
	for {
		ok, reason := ask(ctx)
		if ok {
			return
		}
		if ctx.Err() == nil || why == "" {
			why = reason // What is said when time is up is only that.
		}
		select {
		case <-ctx.Done():
			s.t.Fatalf("%s: not within %s: %s", what, limit, why)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
