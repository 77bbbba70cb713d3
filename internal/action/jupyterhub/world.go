package jupyterhub

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/secret"
)

// World is what the actions work with.
type World struct {
	// HTTP is the client whose transport carries requests to an address.
	HTTP *http.Client
	// Forward reaches a hub that has no address; nil when none can be reached so.
	Forward Forwarder
	// Done is where it is remembered which steps have tried a server.
	Done Ledger
}

// Forwarder makes connections to a Service of a cluster from outside of it.
type Forwarder interface {
	// Forward returns what dials a port of a Service in the target of env, and what
	// ends all of it. The error is an *action.Error.
	Forward(ctx context.Context, env action.Env, at Service) (Dial, func(), error)
}

// Dial makes one connection.
type Dial func(ctx context.Context) (net.Conn, error)

// Service is a port of a Service.
type Service struct {
	Namespace, Name string
	Port            int
}

// address says where a hub is.
type address struct {
	url                string
	namespace, service string
	port               int
	basePath           string
	token              action.SecretRef
}

// The Service of a hub as its chart makes it.
const (
	defaultService = "hub"
	defaultPort    = 8081
)

// check refuses what is no address.
func (a address) check() error {
	if a.url == "" {
		switch {
		case a.namespace == "":
			return errors.New("field \"url\" is missing: " +
				"give it, or namespace for a port-forward to the Service of the hub")
		case a.port < 0 || a.port > 65535:
			return fmt.Errorf("field \"port\" is %d, needs 1 to 65535", a.port)
		case a.basePath != "" && !strings.HasPrefix(a.basePath, "/"):
			return fmt.Errorf("field \"basePath\" is %q, needs a / before it", a.basePath)
		}
		return nil
	}
	u, err := url.Parse(a.url)
	switch {
	case err != nil:
		return errors.New("field \"url\" is not an address") // the cause quotes it, with what it holds
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return errors.New("field \"url\" needs http:// or https:// and a host")
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return errors.New("field \"url\" holds more than an address: the token belongs into token")
	case strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), "/hub"), strings.Contains(u.Path, "/hub/"):
		return errors.New("field \"url\" ends at /hub: give the address before it")
	case a.namespace != "" || a.service != "" || a.port != 0 || a.basePath != "":
		return errors.New("field \"url\" says it all: namespace, service, port and basePath are for a port-forward")
	}
	return nil
}

// name is the hub in messages.
func (a address) name() string {
	if a.url != "" {
		return "hub " + strings.TrimSuffix(a.url, "/")
	}
	return fmt.Sprintf("hub %s/%s", a.namespace, a.serviceName())
}

func (a address) serviceName() string {
	if a.service == "" {
		return defaultService
	}
	return a.service
}

// answerTime is how long one answer may take. A hub waits up to ten seconds for a
// server before it says that it goes on with it later.
const answerTime = 40 * time.Second

// connect returns the connection to a hub; done has to be called in the end.
func (w World) connect(ctx context.Context, env action.Env, a address) (h *hub, done func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, &action.Error{
			Reason: reasonInterrupted, Retryable: true, Effect: action.ExtentNone,
			Err: fmt.Errorf("%s was not asked: %w", a.name(), context.Cause(ctx)),
		}
	}
	env, recorder := secret.Recording(env)
	h = &hub{name: a.name(), base: strings.TrimSuffix(a.url, "/") + "/hub/api"}
	if a.token != nil {
		tokens, err := env.ResolveSecrets(ctx, "field", map[string]action.SecretRef{"token": a.token})
		if err != nil {
			return nil, nil, err
		}
		h.token = strings.TrimSpace(tokens["token"])
		if strings.ContainsFunc(h.token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			return nil, nil, &action.Error{
				Reason: action.ReasonSecretUnavailable, Effect: action.ExtentNone,
				Err: errors.New("field \"token\": what it refers to cannot be a token"),
			}
		}
	}
	h.clean = recorder.Redactor()
	done = func() {}
	h.client = &http.Client{
		Timeout:       answerTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if a.url != "" {
		h.client.Transport = w.HTTP.Transport
		return h, done, nil
	}
	if w.Forward == nil {
		return nil, nil, &action.Error{
			Reason: reasonUnavailable, Effect: action.ExtentNone, Remedy: "give url",
			Err: fmt.Errorf("%s: no cluster can be reached from here", h.name),
		}
	}
	port := a.port
	if port == 0 {
		port = defaultPort
	}
	dial, done, err := w.Forward.Forward(ctx, env, Service{Namespace: a.namespace, Name: a.serviceName(), Port: port})
	if err != nil {
		return nil, nil, err
	}
	h.base = "http://" + defaultService + strings.TrimSuffix(a.basePath, "/") + "/hub/api"
	h.client.Transport = &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
	}
	return h, done, nil
}
