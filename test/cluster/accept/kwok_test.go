package accept

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refitproject/refit/test/cluster/internal/cluster"
	"github.com/refitproject/refit/test/cluster/internal/kube"
)

// Five hundred nodes and thousands of objects, without root and containers.
func TestKwok(t *testing.T) {
	const nodes, pods, maps = "500", 500, 4000
	if _, said, err := the.bed.run(t.Context(), "up", "--name", "scale", "--mode", "kwok", "--nodes", nodes); err != nil {
		t.Fatal(said)
	}
	t.Cleanup(func() {
		if _, said, err := the.bed.run(context.Background(), "down", "--name", "scale"); err != nil {
			t.Error(said)
		}
	})
	s := status(t, "scale")
	if s.State != cluster.Up || s.Nodes.Ready != 500 || len(s.Components) != 5 {
		t.Fatalf("got %+v", s)
	}
	client, err := kube.Load(s.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "the service account", func(ctx context.Context) (bool, string) {
		_, err := client.Typed.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
		return err == nil, fmt.Sprint(err)
	})
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(20)
	for i := range pods {
		group.Go(func() error {
			pod := &corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{Name: "pod-" + strconv.Itoa(i)},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "x", Image: "x"}}},
			}
			_, err := client.Typed.CoreV1().Pods("default").Create(ctx, pod, metav1.CreateOptions{})
			return err
		})
	}
	for i := range maps {
		group.Go(func() error {
			object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "map-" + strconv.Itoa(i)}}
			_, err := client.Typed.CoreV1().ConfigMaps("default").Create(ctx, object, metav1.CreateOptions{})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	within(t, "the pods", func(ctx context.Context) (bool, string) {
		time.Sleep(time.Second) // Listing them all the time is half of the load.
		all, ready, err := client.Pods(ctx)
		return ready == pods, fmt.Sprintf("%d of %d are ready, %v", ready, all, err)
	})
}

// What is wrong is said in one line, and nothing is started.
func TestRefusals(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"taken port": {
			[]string{"up", "--mode", "kwok", "--name", "refused", "--api-port", port},
			"port " + port + " of 127.0.0.1 is taken: give another --api-port",
		},
		"no cluster":  {[]string{"kubeconfig", "--name", "refused"}, `cluster "refused" is down: bring it up with refit-testbed up`},
		"no such log": {[]string{"logs", "etcd", "--name", "refused"}, `cluster "refused" is down: it has no logs`},
	} {
		_, said, err := the.bed.run(t.Context(), c.args...)
		if err == nil || !strings.HasPrefix(said, "refit-testbed: "+c.want) || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: %q, %v", name, said, err)
		}
	}
	if s := status(t, "refused"); s.State != cluster.Down {
		t.Errorf("the cluster is %s", s.State)
	}
}

// A cluster that KUBECONFIG names is never asked, whatever is done.
func TestKubeconfigOfOthers(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	asked := make(chan struct{})
	go func() {
		if conn, err := l.Accept(); err == nil {
			_, _ = io.Copy(io.Discard, conn) // It counts that it was there.
			close(asked)
		}
	}()
	file := t.TempDir() + "/kubeconfig"
	text := fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: theirs\nclusters: [{name: theirs, cluster: {server: "+
		"'http://%s'}}]\ncontexts: [{name: theirs, context: {cluster: theirs, user: theirs}}]\nusers: [{name: theirs}]\n", l.Addr())
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	other := the.bed
	other.kubeconfig = file
	for _, args := range [][]string{{"up", "--mode", "kwok"}, {"status"}, {"down"}} {
		if _, said, err := other.run(t.Context(), append(args, "--name", "beside")...); err != nil {
			t.Error(said)
		}
	}
	select {
	case <-asked:
		t.Error("the cluster of KUBECONFIG was asked")
	default:
	}
}
