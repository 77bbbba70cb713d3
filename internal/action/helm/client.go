package helm

import (
	"context"
	"errors"
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
	// limit ends all waiting; none is without end.
	limit context.Context //nolint:containedctx // Helm has it in its options, and hands none through
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

// waiter waits by the status of objects, until limit ends.
func (c *client) waiter(limit context.Context) (helmkube.Waiter, error) {
	c.limit = limit
	return c.GetWaiter(helmkube.StatusWatcherStrategy) //nolint:contextcheck // it is the limit
}

// GetWaiter implements kube.Interface.
func (c *client) GetWaiter(strategy helmkube.WaitStrategy) (helmkube.Waiter, error) {
	return c.GetWaiterWithOptions(strategy)
}

// GetWaiterWithOptions implements kube.InterfaceWaitOptions.
func (c *client) GetWaiterWithOptions(
	strategy helmkube.WaitStrategy, options ...helmkube.WaitOption,
) (helmkube.Waiter, error) {
	limit := c.limit
	if limit == nil {
		limit = context.Background()
	}
	ctx, end := context.WithCancel(limit)
	w, err := c.Client.GetWaiterWithOptions(strategy, append(options, helmkube.WithWaitContext(ctx))...)
	if err != nil {
		end()
		return nil, err
	}
	return &waiter{Waiter: w, client: c, end: end}, nil
}

// waiter waits as Helm does, looks into what it has waited for in vain, and does not wait
// for what ends again and again.
type waiter struct {
	helmkube.Waiter

	client *client
	end    context.CancelFunc
}

// Wait implements kube.Waiter.
func (w *waiter) Wait(list helmkube.ResourceList, timeout time.Duration) error {
	w.client.session.progress("waiting until objects are ready", len(list))
	return w.unlessCrashing(list, func() error { return w.Waiter.Wait(list, timeout) })
}

// WaitWithJobs implements kube.Waiter.
func (w *waiter) WaitWithJobs(list helmkube.ResourceList, timeout time.Duration) error {
	w.client.session.progress("waiting until objects are ready and jobs have ended", len(list))
	return w.unlessCrashing(list, func() error { return w.Waiter.WaitWithJobs(list, timeout) })
}

// WatchUntilReady implements kube.Waiter.
func (w *waiter) WatchUntilReady(list helmkube.ResourceList, timeout time.Duration) error {
	for _, info := range list {
		w.client.session.progress("waiting for hook "+objectName(info), 0)
	}
	return w.look(list, w.Waiter.WatchUntilReady(list, timeout))
}

// crashEvery is how often pods are looked at while Helm waits for them.
const crashEvery = 3 * time.Second

// unlessCrashing waits, and gives up early when a container ends again and again: nobody
// is served until the time is over.
func (w *waiter) unlessCrashing(list helmkube.ResourceList, wait func() error) error {
	seen := crashes{}
	look := func(begin bool) string {
		ctx, release := w.client.session.carrier.late(context.Background())
		defer release()
		return w.client.session.crashing(ctx, list, seen, begin)
	}
	look(true)
	done := make(chan error, 1)
	go func() { done <- wait() }()
	tick := time.NewTicker(crashEvery) //nolint:forbidigo // it only looks, and decides nothing by the time
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			return w.look(list, err)
		case <-tick.C:
		}
		text := look(false)
		if text == "" {
			continue
		}
		w.end()
		if err := <-done; err == nil {
			return nil // It became ready at this very moment.
		}
		w.client.trouble = text
		return errors.New("not ready. status: a container ends again and again")
	}
}

func (w *waiter) look(list helmkube.ResourceList, err error) error {
	if err != nil {
		ctx, release := w.client.session.carrier.late(context.Background())
		defer release()
		w.client.trouble = w.client.session.trouble(ctx, list)
	}
	return err
}
