package helm

import (
	"context"
	"io"
	"log/slog"
	"time"

	helmkube "helm.sh/helm/v4/pkg/kube"
	"k8s.io/cli-runtime/pkg/genericclioptions"
)

func discardHooks(_, _, _ string) io.Writer { return io.Discard }

// client is the client of Helm. It tells the carrier when objects are applied, and
// looks why something did not become ready before Helm tidies it away.
type client struct {
	*helmkube.Client

	session *session
	// trouble is what was found out about what did not become ready.
	trouble string
}

var (
	_ helmkube.Interface            = (*client)(nil)
	_ helmkube.InterfaceWaitOptions = (*client)(nil)
)

func newClient(getter genericclioptions.RESTClientGetter, s *session) *client {
	c := &client{Client: helmkube.New(getter), session: s}
	c.SetLogger(slog.DiscardHandler)
	c.Namespace = s.namespace
	return c
}

// Update implements kube.Interface.
func (c *client) Update(
	originals, targets helmkube.ResourceList, options ...helmkube.ClientUpdateOption,
) (*helmkube.Result, error) {
	c.session.carrier.applying.Store(true)
	defer c.session.carrier.applying.Store(false)
	c.session.progress("applying objects", len(targets))
	return c.Client.Update(originals, targets, options...)
}

// GetWaiter implements kube.Interface.
func (c *client) GetWaiter(strategy helmkube.WaitStrategy) (helmkube.Waiter, error) {
	return c.GetWaiterWithOptions(strategy)
}

// GetWaiterWithOptions implements kube.InterfaceWaitOptions.
func (c *client) GetWaiterWithOptions(
	strategy helmkube.WaitStrategy, options ...helmkube.WaitOption,
) (helmkube.Waiter, error) {
	w, err := c.Client.GetWaiterWithOptions(strategy, options...)
	if err != nil {
		return nil, err
	}
	return &waiter{Waiter: w, client: c}, nil
}

// waiter waits as Helm does, and looks into what it has waited for in vain.
type waiter struct {
	helmkube.Waiter

	client *client
}

// Wait implements kube.Waiter.
func (w *waiter) Wait(list helmkube.ResourceList, timeout time.Duration) error {
	w.client.session.progress("waiting until objects are ready", len(list))
	return w.look(list, w.Waiter.Wait(list, timeout))
}

// WaitWithJobs implements kube.Waiter.
func (w *waiter) WaitWithJobs(list helmkube.ResourceList, timeout time.Duration) error {
	w.client.session.progress("waiting until objects are ready and jobs have ended", len(list))
	return w.look(list, w.Waiter.WaitWithJobs(list, timeout))
}

// WatchUntilReady implements kube.Waiter.
func (w *waiter) WatchUntilReady(list helmkube.ResourceList, timeout time.Duration) error {
	for _, info := range list {
		w.client.session.progress("waiting for hook "+objectName(info), 0)
	}
	return w.look(list, w.Waiter.WatchUntilReady(list, timeout))
}

func (w *waiter) look(list helmkube.ResourceList, err error) error {
	if err != nil {
		ctx, release := w.client.session.carrier.late(context.Background())
		defer release()
		w.client.trouble = w.client.session.trouble(ctx, list)
	}
	return err
}
