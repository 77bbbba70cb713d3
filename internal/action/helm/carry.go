package helm

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/refitproject/refit/internal/wait"
)

// grace is how long requests are still sent after the call has ended, for what Helm
// does last: recording that a revision has failed, and removing what it has made.
const grace = 5 * time.Second

// carrier is under all requests of one call. Helm hands no context down to them, and
// goes on applying when nobody wants it any more; here they end with the call.
type carrier struct {
	// applying tells that objects of a chart are being applied: then requests end with
	// the call at once, else after the grace.
	applying atomic.Bool
	before   func(what string) error
	// now and late tie a context to the end of the call, and to that of the grace.
	now, late func(context.Context) (context.Context, func())
	// end releases what the carrier holds.
	end func()
}

func carry(ctx context.Context, before func(what string) error) *carrier {
	late, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if wait.For(late, grace) == nil {
			cancel(context.Cause(ctx))
		}
	})
	return &carrier{
		before: before, now: tie(ctx), late: tie(late),
		end: func() { stop(); cancel(context.Canceled) },
	}
}

// tie returns a function that makes a context end with end as well.
func tie(end context.Context) func(context.Context) (context.Context, func()) {
	return func(ctx context.Context) (context.Context, func()) {
		tied, cancel := context.WithCancelCause(ctx)
		stop := context.AfterFunc(end, func() { cancel(context.Cause(end)) })
		return tied, func() { stop(); cancel(context.Canceled) }
	}
}

// wrap puts the carrier under a transport.
func (c *carrier) wrap(next http.RoundTripper) http.RoundTripper { return carried{c, next} }

// carried is a transport of a carrier.
type carried struct {
	*carrier

	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (c carried) RoundTrip(r *http.Request) (*http.Response, error) {
	if c.before != nil && r.Method != http.MethodGet && r.Method != http.MethodHead {
		if err := c.before(r.Method + " " + r.URL.Path); err != nil {
			return nil, err
		}
	}
	bind := c.late
	if c.applying.Load() {
		bind = c.now
	}
	ctx, release := bind(r.Context())
	response, err := c.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		if cause := context.Cause(ctx); cause != nil && r.Context().Err() == nil {
			err = cause
		}
		release()
		return nil, err
	}
	response.Body = &tiedBody{ReadCloser: response.Body, release: release}
	return response, nil
}

// tiedBody releases the context of a request when its answer was read.
type tiedBody struct {
	io.ReadCloser

	release func()
}

// Close implements io.Closer.
func (b *tiedBody) Close() error {
	defer b.release()
	return b.ReadCloser.Close()
}
