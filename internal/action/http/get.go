package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/secret"
)

// Limits of http.get.
const (
	defaultTimeout = 10 * time.Second
	maxBytes       = 1 << 20
	maxRedirects   = 5
)

// GetInput is the input of http.get.
type GetInput struct {
	URL           string                      `json:"url" doc:"Address to ask, http or https, without user and password."`
	Headers       map[string]string           `json:"headers,omitempty" doc:"Headers of the request without credentials; they are sent to the host of url only, not to where it redirects."`
	SecretHeaders map[string]action.SecretRef `json:"secretHeaders,omitempty" refit:"secret" doc:"Headers of the request from secrets, sent like headers; their values are removed from the answer."`
	Timeout       time.Duration               `json:"timeout,omitempty" doc:"How long the answer may take in all; default 10s."`
	MaxBytes      int64                       `json:"maxBytes,omitempty" doc:"Largest body that is read; default and most 1048576."`
}

// GetOutput is the output of http.get.
type GetOutput struct {
	Status  int               `json:"status" doc:"Status code of the answer, 100 to 599."`
	Body    string            `json:"body" doc:"Body as text; bytes that are not UTF-8 are replaced."`
	JSON    any               `json:"json,omitempty" doc:"Body read as JSON, when the answer says that it is JSON and it is."`
	Headers map[string]string `json:"headers" doc:"Headers of the answer by name in lower case, without cookies; repeated ones joined by commas."`
}

// Get returns the action http.get, which asks through the transport of client.
// The client is not changed; its own rules for redirects, cookies and timeouts
// are not used.
func Get(client *http.Client) action.Action {
	g := getter{transport: client.Transport}
	return action.Define(action.Definition[GetInput, GetOutput]{
		Name:    "http.get",
		Version: 1,
		Summary: "Ask a web address with GET.",
		Effect:  action.ReadOnly,
		Check:   checkGet,
		Preview: func(_ context.Context, _ action.Env, in GetInput) (action.Preview, error) {
			return action.Preview{Summary: "ask " + showRaw(in.URL)}, nil
		},
		Observe: func(ctx context.Context, env action.Env, in GetInput) (action.Observed[GetOutput], error) {
			out, err := g.get(ctx, env, in)
			if err != nil {
				return action.Observed[GetOutput]{}, err
			}
			return action.Saw(out), nil
		},
	})
}

func checkGet(in GetInput) error {
	u, err := url.Parse(in.URL)
	switch {
	case err != nil:
		return errors.New("field \"url\" is not an address") // the cause quotes it, with what it holds
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("field \"url\" is %q, needs http:// or https://", show(u))
	case u.Hostname() == "":
		return fmt.Errorf("field \"url\" is %q, which names no host", show(u))
	case u.User != nil:
		return errors.New("field \"url\" holds a user: send credentials in secretHeaders")
	case in.Timeout < 0 || in.Timeout > time.Hour:
		return fmt.Errorf("field \"timeout\" is %s, needs at most 1h", in.Timeout)
	case in.MaxBytes < 0 || in.MaxBytes > maxBytes:
		return fmt.Errorf("field \"maxBytes\" is %d, needs 1 to %d", in.MaxBytes, maxBytes)
	default:
		return checkHeaders(in)
	}
}

// getter carries out http.get.
type getter struct{ transport http.RoundTripper }

func (g getter) get(ctx context.Context, env action.Env, in GetInput) (GetOutput, error) {
	headers, clean, err := resolveHeaders(ctx, env, in)
	if err != nil {
		return GetOutput{}, err
	}
	out, err := g.ask(ctx, in, headers, clean)
	return out, withoutSecrets(err, clean)
}

// ask sends the request and reads the answer.
func (g getter) ask(
	ctx context.Context, in GetInput, headers map[string]string, clean *secret.Redactor,
) (GetOutput, error) {
	timeout := defaultTimeout
	if in.Timeout > 0 {
		timeout = in.Timeout
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(limited, http.MethodGet, in.URL, nil)
	if err != nil {
		return GetOutput{}, couldNotAsk(ctx, in.URL, timeout, err)
	}
	setHeaders(req, headers)
	client := &http.Client{Transport: g.transport, CheckRedirect: redirects(headers)}
	resp, err := client.Do(req)
	if err != nil {
		return GetOutput{}, couldNotAsk(ctx, in.URL, timeout, err)
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	body, err := readBody(resp.Body, in)
	if err != nil {
		return GetOutput{}, couldNotAsk(ctx, in.URL, timeout, err)
	}
	return answer(resp, body, clean), nil
}

// errTooLarge is returned by readBody when the body is larger than the limit.
var errTooLarge = errors.New("the body is too large")

func readBody(r io.Reader, in GetInput) ([]byte, error) {
	limit := in.MaxBytes
	if limit == 0 {
		limit = maxBytes
	}
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = fmt.Errorf("%w: more than %d bytes", errTooLarge, limit)
	}
	return body, err
}

// answer makes the output. Servers that repeat the headers of the request, as
// debugging pages do, must not bring credentials into a plan.
func answer(resp *http.Response, body []byte, clean *secret.Redactor) GetOutput {
	out := GetOutput{
		Status: resp.StatusCode, Headers: map[string]string{},
		Body: clean.Text(strings.ToValidUTF8(string(body), "\uFFFD")),
	}
	for name, values := range resp.Header {
		if name != "Set-Cookie" {
			out.Headers[clean.Text(strings.ToLower(name))] = clean.Text(strings.Join(values, ", "))
		}
	}
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if media == "application/json" || strings.HasSuffix(media, "+json") {
		// Broken JSON is no error: status and body are facts all the same.
		// It can be written in many ways; what it says is looked at once more.
		value, _ := action.ParseJSON([]byte(out.Body))
		out.JSON = clean.Value(value)
	}
	return out
}
