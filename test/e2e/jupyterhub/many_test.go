package jupyterhub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// TestFullManyObjects plans and checks an upgrade in a cluster with 5,000 objects, most of
// them of the kinds that are looked at, and counts what the API server is asked.
func TestFullManyObjects(t *testing.T) {
	t.Parallel()
	s := newSite(t, sqlite, middle)
	s.fill(5000)
	counted := s.counted()
	for _, c := range []struct {
		what string
		most int64
		args []string
	}{
		{"plan", 150, []string{"plan", "platform.yaml", "--to", newest.chart, "--save", "plan.json", "--replace"}},
		{"check", 150, []string{"check", "plan.json"}},
	} {
		s.platform()
		counted.Store(0)
		began := time.Now()
		s.refit.Must(exitDone, c.args...)
		t.Logf("refit %s: %.1f s, %d requests", c.what, time.Since(began).Seconds(), counted.Load())
		if n := counted.Load(); n > c.most || n == 0 {
			t.Errorf("refit %s asked the API server %d times, at most %d are good", c.what, n, c.most)
		}
	}
}

// fill makes objects: volume claims of users, Secrets and ConfigMaps, in the namespace.
func (s *site) fill(count int) {
	s.t.Helper()
	ctx, options := s.t.Context(), metav1.CreateOptions{}
	next := make(chan int)
	var making sync.WaitGroup
	for range 8 {
		making.Go(func() {
			for n := range next {
				meta := metav1.ObjectMeta{Name: fmt.Sprintf("user-%04d", n)}
				var err error
				switch n % 5 {
				case 0:
					meta.Labels = map[string]string{"component": "singleuser-storage"}
					class := "none"
					_, err = s.Client.CoreV1().PersistentVolumeClaims(s.Name).Create(ctx, &corev1.PersistentVolumeClaim{
						ObjectMeta: meta,
						Spec: corev1.PersistentVolumeClaimSpec{
							AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, StorageClassName: &class,
							Resources: corev1.VolumeResourceRequirements{
								Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Mi")},
							},
						},
					}, options)
				case 1, 2:
					_, err = s.Client.CoreV1().Secrets(s.Name).Create(ctx, &corev1.Secret{
						ObjectMeta: meta, StringData: map[string]string{"token": fmt.Sprint(n)},
					}, options)
				default:
					_, err = s.Client.CoreV1().ConfigMaps(s.Name).Create(ctx, &corev1.ConfigMap{
						ObjectMeta: meta, Data: map[string]string{"n": fmt.Sprint(n)},
					}, options)
				}
				if err != nil && !errors.Is(err, context.Canceled) {
					s.t.Error(err)
				}
			}
		})
	}
	for n := range count {
		next <- n
	}
	close(next)
	making.Wait()
}

// counted has Refit reach the API server through this test, which counts its requests.
func (s *site) counted() *atomic.Int64 {
	s.t.Helper()
	to, err := url.Parse(s.Config.Host)
	if err != nil {
		s.t.Fatal(err)
	}
	plain := rest.CopyConfig(s.Config)
	plain.NextProtos = []string{"http/1.1"} // Programs in pods are reached by an upgrade of the connection.
	transport, err := rest.TransportFor(plain)
	if err != nil {
		s.t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.Transport = transport
	proxy.FlushInterval = -1
	count := &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		count.Add(1)
		proxy.ServeHTTP(w, r)
	}))
	s.t.Cleanup(server.Close)
	config := api.NewConfig()
	config.Clusters["it"] = &api.Cluster{Server: server.URL}
	config.AuthInfos["it"] = &api.AuthInfo{}
	name := s.Context
	if name == "" {
		name = "it"
	}
	config.Contexts[name] = &api.Context{Cluster: "it", AuthInfo: "it"}
	config.CurrentContext = name
	s.Kubeconfig = filepath.Join(s.dir, "counted.kubeconfig")
	if err := clientcmd.WriteToFile(*config, s.Kubeconfig); err != nil {
		s.t.Fatal(err)
	}
	return count
}
