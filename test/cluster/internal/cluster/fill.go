package cluster

import (
	"bufio"
	"bytes"
	"context"
	"embed"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"text/template"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/refitproject/refit/test/cluster/internal/component"
	"github.com/refitproject/refit/test/cluster/internal/image"
	"github.com/refitproject/refit/test/cluster/internal/keeper"
	"github.com/refitproject/refit/test/cluster/internal/kube"
	"github.com/refitproject/refit/test/cluster/internal/place"
)

//go:embed manifests
var manifests embed.FS // The embed package wants it.

// fill loads the images, makes the objects that every cluster has, and waits
// until all of it works.
func (t Testbed) fill(ctx context.Context, c place.Cluster, spec component.Spec, pid int, images []image.Image) error {
	client, err := kube.Load(c.Kubeconfig())
	if err != nil {
		return err
	}
	begin := time.Now()
	group, both := errgroup.WithContext(ctx)
	if spec.Mode == component.Containers {
		group.Go(func() error {
			runtime := image.Runtime{Program: "ctr", Socket: component.Runtime(pid)}
			// Only the keeper can tell: before it has a /run of its own, the socket
			// seen through it is the machine's, and so somebody else's.
			err := await(both, c, "containerd", func(context.Context) (bool, string, error) {
				states, err := readStates(c)
				return slices.ContainsFunc(states, func(s keeper.State) bool {
					return s.Name == "containerd" && s.Ready
				}), "it is not ready", err
			})
			if err != nil {
				return err
			}
			_, err = runtime.Load(both, images...)
			return err
		})
	}
	group.Go(func() error {
		return await(both, c, "the API server", func(ctx context.Context) (bool, string, error) {
			err := client.Answers(ctx)
			return err == nil, fmt.Sprint(err), nil
		})
	})
	if err := group.Wait(); err != nil {
		return err
	}
	t.Say("the API server answers after %s", time.Since(begin).Round(100*time.Millisecond))
	if spec.Mode == component.Kwok {
		return t.fillKwok(ctx, c, spec, client)
	}
	return t.fillNode(ctx, c, spec, client, begin)
}

func (t Testbed) fillKwok(ctx context.Context, c place.Cluster, spec component.Spec, client *kube.Client) error {
	if err := client.MakeNodes(ctx, spec.Nodes); err != nil {
		return err
	}
	return await(ctx, c, "the nodes", func(ctx context.Context) (bool, string, error) {
		_, ready, err := client.Nodes(ctx)
		return ready >= spec.Nodes, fmt.Sprintf("%d of %d are ready", ready, spec.Nodes), err
	})
}

func (t Testbed) fillNode(ctx context.Context, c place.Cluster, spec component.Spec, client *kube.Client,
	begin time.Time,
) error {
	recipes, err := t.Recipes()
	if err != nil {
		return err
	}
	ref := func(name string) string {
		i := slices.IndexFunc(recipes, func(r image.Recipe) bool { return r.Name == name })
		return recipes[i].Ref()
	}
	values := map[string]string{
		"DNS": spec.DNS().String(), "CoreDNS": ref("coredns"), "LocalPath": ref("local-path-provisioner"),
		"Busybox": ref("busybox"),
	}
	texts, err := template.ParseFS(manifests, "manifests/*.yaml")
	if err != nil {
		return fmt.Errorf("read the objects of a cluster: %w", err)
	}
	for _, text := range texts.Templates() {
		var object bytes.Buffer
		if err := text.Execute(&object, values); err != nil {
			return fmt.Errorf("write the objects of a cluster: %w", err)
		}
		if err := client.Apply(ctx, object.Bytes()); err != nil {
			return err
		}
	}
	err = await(ctx, c, "the node", func(ctx context.Context) (bool, string, error) {
		_, ready, err := client.Nodes(ctx)
		return ready == 1, "it is not ready", err
	})
	if err != nil {
		return err
	}
	t.Say("the node is ready after %s", time.Since(begin).Round(100*time.Millisecond))
	for _, d := range [][2]string{{"kube-system", "coredns"}, {"local-path-storage", "local-path-provisioner"}} {
		err := await(ctx, c, "Deployment "+d[1], func(ctx context.Context) (bool, string, error) {
			return client.Available(ctx, d[0], d[1])
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// await asks until the answer is yes. It gives up when a component has ended,
// and when patience is out; then it says what the last answer was.
func await(ctx context.Context, c place.Cluster, what string,
	ask func(context.Context) (ok bool, why string, err error),
) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("nothing for %s", patience))
	defer cancel()
	for {
		ok, why, err := ask(ctx)
		if ok && err == nil {
			return nil
		}
		if err != nil {
			why = err.Error()
		}
		if broken := firstEnded(c); broken != "" {
			return fmt.Errorf("wait for %s: %s", what, broken)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w: %s: see refit-testbed logs", what, context.Cause(ctx), why)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// firstEnded tells of a component that has ended, or of the keeper; "" when all
// live.
func firstEnded(c place.Cluster) string {
	if id, err := readKeeper(c); err == nil && !id.Alive() {
		return "the cluster has ended: " + lastLine(c.Path("logs", "keeper.log"))
	}
	states, err := readStates(c)
	if err != nil {
		return ""
	}
	for _, s := range states {
		if s.Exit != "" {
			return s.Name + " " + s.Exit + ": " + lastLine(c.Path("logs", s.Name+".log"))
		}
	}
	return ""
}

// lastLine returns the last line of a log that says something.
func lastLine(name string) string {
	file, err := os.Open(name)
	if err != nil {
		return "it has no log"
	}
	defer file.Close() //nolint:errcheck // It was only read.
	last := "its log is empty"
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" {
			last = line
		}
	}
	return last
}

// freePorts finds ports of the loopback that nobody listens on. api is taken for
// the API server unless it is 0.
func freePorts(ctx context.Context, api int) (component.Ports, error) {
	var p component.Ports
	var listeners []net.Listener
	defer func() {
		for _, l := range listeners {
			_ = l.Close() // It was only to find a number.
		}
	}()
	for _, port := range []*int{&p.API, &p.Etcd, &p.EtcdPeer, &p.ControllerManager, &p.Scheduler, &p.Kwok} {
		want := 0
		if port == &p.API {
			want = api
		}
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", want))
		if err != nil {
			return p, fmt.Errorf("port %d of 127.0.0.1 is taken: give another --api-port, or none for any that is free",
				want)
		}
		listeners = append(listeners, l)
		addr, ok := l.Addr().(*net.TCPAddr)
		if !ok {
			return p, fmt.Errorf("find a free port: %s is no address of TCP", l.Addr())
		}
		*port = addr.Port
	}
	return p, nil
}
