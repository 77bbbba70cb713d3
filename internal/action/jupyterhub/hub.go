package jupyterhub

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/secret"
	"github.com/refitproject/refit/internal/wait"
)

// The reasons of errors of this package.
const (
	reasonUnavailable   = "HubUnavailable"
	reasonNotAHub       = "NotAHub"
	reasonRefused       = "HubRefused"
	reasonInterrupted   = "Interrupted"
	reasonNotStopped    = "NotStopped"
	reasonNotStarted    = "NotStarted"
	reasonTooLarge      = "AnswerTooLarge"
	reasonNotRemembered = "NotRemembered"
)

const (
	// pageSize is how many users are asked for at once; a hub gives 200 at most as
	// it comes (JupyterHub.api_page_max_limit).
	pageSize = 200
	// maxAnswer is how large an answer may be, in bytes.
	maxAnswer = 16 << 20
	// pagination asks for pages since release 2.0. Older ones list everything.
	pagination = "application/jupyterhub-pagination+json"
)

// hub is the connection to a JupyterHub. It is safe for concurrent use.
type hub struct {
	name   string
	base   string
	token  string
	client *http.Client
	clean  *secret.Redactor
}

// user is a user as the API describes it. Servers are those that run or are on
// their way; nil when the token may not see them.
type user struct {
	Name    string            `json:"name"`
	Admin   bool              `json:"admin"`
	Servers map[string]server `json:"servers"`
}

// server is a server of a user.
type server struct {
	Name    string `json:"name"`
	Ready   bool   `json:"ready"`
	Pending string `json:"pending"`
	Stopped bool   `json:"stopped"`
	Started string `json:"started"`
}

// active tells whether a server runs or is on its way.
func (s server) active() bool { return !s.Stopped && (s.Ready || s.Pending != "") }

// answer is what a hub answered.
type answer struct {
	status int
	body   []byte
	// said is the message of an error.
	said string
}

// ask sends a request and returns the answer, whatever its status is, as long as it
// is one of a hub. body is sent as JSON unless it is nil. The error is an
// *action.Error.
func (h *hub) ask(ctx context.Context, method, path string, body any) (answer, error) {
	var content io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		content = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, h.base+path, content)
	if err != nil {
		return answer{}, h.failed(reasonNotAHub, "correct url", errors.New("it has no address"))
	}
	req.Header.Set("Accept", pagination)
	if h.token != "" {
		req.Header.Set("Authorization", "token "+h.token)
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return answer{}, h.unreachable(ctx, method, err)
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return answer{}, h.unreachable(ctx, method, err)
	case len(data) > maxAnswer:
		return answer{}, h.failed(reasonTooLarge, "", fmt.Errorf("it answers with more than %d bytes", maxAnswer))
	}
	out := answer{status: resp.StatusCode, body: data}
	var failed struct {
		Message string `json:"message"`
	}
	isJSON := json.Unmarshal(data, &failed) == nil
	out.said = h.clean.Text(strings.Join(strings.Fields(failed.Message), " "))
	return out, h.judge(method, path, out, isJSON)
}

// judge finds out what answers are no answers of a hub to a question.
func (h *hub) judge(method, path string, a answer, isJSON bool) error {
	what := strings.ToLower(method) + " " + path
	switch {
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
		needs := "give a token with the scopes " + scopesFor(method, path)
		return h.failed(action.ReasonAccessRefused, needs,
			fmt.Errorf("it refuses to %s: %d %s", what, a.status, a.said))
	case a.status == http.StatusTooManyRequests || a.status == http.StatusBadGateway ||
		a.status == http.StatusServiceUnavailable || a.status == http.StatusGatewayTimeout:
		failed := h.failed(reasonUnavailable, "wait until it runs, or look at its log",
			fmt.Errorf("it does not answer to %s: %d %s", what, a.status, a.said))
		failed.Retryable = true
		return failed
	case a.status >= 300 && a.status < 400:
		return h.failed(reasonNotAHub, "give the address that people open, without /hub",
			fmt.Errorf("it redirects to another address: %d", a.status))
	case a.status == http.StatusNotFound && !isJSON, a.status == http.StatusOK && !isJSON:
		return h.failed(reasonNotAHub, "give the address that people open, without /hub",
			errors.New("what answers is no API of JupyterHub"))
	case a.status >= 500:
		failed := h.failed(reasonRefused, "look at its log",
			fmt.Errorf("it fails to %s: %d %s", what, a.status, a.said))
		failed.Retryable = true
		return failed
	}
	return nil
}

// scopesFor names the scopes that a request needs.
func scopesFor(method, path string) string {
	switch isServer := strings.Contains(path, "/server"); {
	case isServer && method == http.MethodDelete:
		return "delete:servers, read:servers and list:users"
	case isServer:
		return "servers, read:servers and list:users"
	case method != http.MethodGet:
		return "admin:users, servers, delete:servers and read:servers"
	}
	return "list:users and read:servers"
}

func (h *hub) failed(reason, remedy string, err error) *action.Error {
	return &action.Error{
		Reason: reason, Effect: action.ExtentNone, Remedy: remedy, Err: fmt.Errorf("%s: %w", h.name, err),
	}
}

// unreachable explains why there is no answer. Requests of this package can all be
// repeated, because each begins with looking at what is.
func (h *hub) unreachable(ctx context.Context, method string, err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // the error of the client repeats the address
	}
	reason, remedy := reasonUnavailable, "check the address and whether the hub runs"
	if ctx.Err() != nil {
		reason, remedy, err = reasonInterrupted, "", context.Cause(ctx)
	}
	failed := h.failed(reason, remedy, errors.New(h.clean.Text(err.Error())))
	failed.Retryable = true
	if method != http.MethodGet {
		failed.Effect = action.ExtentUnknown
	}
	if ctx.Err() != nil {
		failed.Err = fmt.Errorf("%s: %w", h.name, err)
	}
	return failed
}

// version asks for the version of the hub. It needs no token.
func (h *hub) version(ctx context.Context) (string, error) {
	got, err := h.ask(ctx, http.MethodGet, "/", nil)
	if err != nil {
		return "", err
	}
	var out struct {
		Version string `json:"version"`
	}
	if err := json.Unmarshal(got.body, &out); err != nil || out.Version == "" {
		return "", h.failed(reasonNotAHub, "give the address that people open, without /hub",
			errors.New("it does not tell its version"))
	}
	return out.Version, nil
}

// users lists all users, in the order of their names.
func (h *hub) users(ctx context.Context) ([]user, error) {
	known := map[string]user{}
	for offset := 0; ; {
		query := url.Values{"offset": {strconv.Itoa(offset)}, "limit": {strconv.Itoa(pageSize)}}
		got, err := h.ask(ctx, http.MethodGet, "/users?"+query.Encode(), nil)
		if err != nil {
			return nil, err
		}
		if got.status != http.StatusOK {
			return nil, h.failed(reasonRefused, "", fmt.Errorf("list the users: %d %s", got.status, got.said))
		}
		items, next, err := readPage(got.body, offset)
		if err != nil {
			return nil, h.failed(reasonNotAHub, "", fmt.Errorf("list the users: %w", err))
		}
		before := len(known)
		for _, u := range items {
			if u.Servers == nil {
				return nil, h.failed(action.ReasonAccessRefused,
					"give a token with the scopes list:users and read:servers",
					fmt.Errorf("it does not show the servers of user %q", u.Name))
			}
			known[u.Name] = u
		}
		// A hub without pages gives the same users again, whatever is asked for.
		if next <= offset || len(known) == before {
			break
		}
		offset = next
	}
	all := make([]user, 0, len(known))
	for _, u := range known {
		all = append(all, u)
	}
	slices.SortFunc(all, func(a, b user) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// readPage reads a list of users, and where the next one begins: 0 when this was the
// last.
func readPage(body []byte, offset int) (items []user, next int, err error) {
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
		err = json.Unmarshal(body, &items)
		return items, offset + len(items), err
	}
	var page struct {
		Items      []user `json:"items"`
		Pagination struct {
			Next *struct {
				Offset int `json:"offset"`
			} `json:"next"`
		} `json:"_pagination"` //nolint:tagliatelle // of the API
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return nil, 0, err
	}
	if page.Pagination.Next != nil {
		next = page.Pagination.Next.Offset
	}
	return page.Items, next, nil
}

// find asks for one user; false when there is none.
func (h *hub) find(ctx context.Context, name string) (user, bool, error) {
	got, err := h.ask(ctx, http.MethodGet, userPath(name), nil)
	switch {
	case err != nil:
		return user{}, false, err
	case got.status == http.StatusNotFound:
		return user{}, false, nil
	case got.status != http.StatusOK:
		return user{}, false, h.failed(reasonRefused, "", fmt.Errorf("read user %q: %d %s", name, got.status, got.said))
	}
	var out user
	if err := json.Unmarshal(got.body, &out); err != nil {
		return user{}, false, h.failed(reasonNotAHub, "", fmt.Errorf("read user %q: %w", name, err))
	}
	return out, true, nil
}

func userPath(name string) string { return "/users/" + url.PathEscape(name) }

// ref names a server: a user, and the name of the server, "" for the default one.
type ref struct{ user, name string }

// key is how a server is written: ada, or ada/lab. What would not be told from that
// is escaped as in addresses.
func (r ref) key() string {
	if r.name == "" {
		return url.PathEscape(r.user)
	}
	return url.PathEscape(r.user) + "/" + url.PathEscape(r.name)
}

// readRef reads what key has written.
func readRef(key string) (ref, error) {
	name, rest, named := strings.Cut(key, "/")
	u, err := url.PathUnescape(name)
	if err != nil || u == "" {
		return ref{}, fmt.Errorf("%q is no server: write USER or USER/SERVER", key)
	}
	s, err := url.PathUnescape(rest)
	if err != nil || named && s == "" {
		return ref{}, fmt.Errorf("%q is no server: write USER or USER/SERVER", key)
	}
	return ref{u, s}, nil
}

func (r ref) path() string {
	if r.name == "" {
		return userPath(r.user) + "/server"
	}
	return userPath(r.user) + "/servers/" + url.PathEscape(r.name)
}

// look reads the state of a server; there is false when its user is not.
func (h *hub) look(ctx context.Context, r ref) (s server, there bool, err error) {
	u, there, err := h.find(ctx, r.user)
	return u.Servers[r.name], there, err
}

// Times between two looks at a server that is on its way, and how long a hub may be
// away meanwhile: a restart of it is no failure of its servers.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 3 * time.Second
	mayBeAway  = 2 * time.Minute
)

// settle brings a server to the state that is wanted: it asks for that when nothing
// is under way, and looks until it is so. It ends well when the user is not there.
func (h *hub) settle(ctx context.Context, r ref, running bool) (there bool, err error) {
	method, asked := http.MethodDelete, 0
	if running {
		method = http.MethodPost
	}
	var since time.Duration
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		s, there, err := h.look(ctx, r)
		switch {
		case err == nil && !there:
			return false, nil
		case err == nil && running && s.Ready && s.Pending == "", err == nil && !running && !s.active():
			return true, nil
		case err == nil && s.Pending == "":
			if asked++; asked > 2 && running {
				return true, fmt.Errorf("server %s does not start", r.key())
			}
			err = h.order(ctx, method, r)
		case err == nil:
			since = 0
		}
		if err != nil {
			if action.ReasonOf(err) != reasonUnavailable || since >= mayBeAway {
				return true, err
			}
			since += pause
			asked = max(0, asked-1) // it did not hear
		}
		if err := wait.For(ctx, pause); err != nil {
			return true, err
		}
	}
}

// order asks a hub to stop or to start a server. What it has meanwhile done by itself
// is as good.
func (h *hub) order(ctx context.Context, method string, r ref) error {
	got, err := h.ask(ctx, method, r.path(), nil)
	switch {
	case err != nil:
		return err
	case got.status < 300, got.status == http.StatusNotFound:
		return nil
	case got.status == http.StatusBadRequest && (strings.Contains(got.said, "pending") ||
		strings.Contains(got.said, "already running") || strings.Contains(got.said, "not running")):
		return nil
	}
	return h.failed(reasonRefused, "",
		fmt.Errorf("%s server %s: %d %s", strings.ToLower(method), r.key(), got.status, got.said))
}
