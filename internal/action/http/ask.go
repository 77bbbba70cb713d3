package http

import (
	"cmp"
	"context"
	"encoding/json"
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

// question is one request of an action.
type question struct {
	method, url   string
	headers       map[string]string
	secretHeaders map[string]action.SecretRef
	// body is sent with contentType, unless that is empty.
	body, contentType string
	// key is sent as Idempotency-Key, unless it is empty.
	key string
	// timeout and maxBytes are those of http.get when they are 0.
	timeout  time.Duration
	maxBytes int64
}

// changes tells whether the request may change something.
func (q question) changes() bool { return q.method != http.MethodGet }

// checkAddress refuses what cannot be asked.
func checkAddress(field, raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return fmt.Errorf("field %q is not an address", field) // the cause quotes it, with what it holds
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("field %q is %q, needs http:// or https://", field, show(u))
	case u.Hostname() == "":
		return fmt.Errorf("field %q is %q, which names no host", field, show(u))
	case u.User != nil:
		return fmt.Errorf("field %q holds a user: send credentials in secretHeaders", field)
	default:
		return nil
	}
}

func checkTimeout(timeout time.Duration) error {
	if timeout < 0 || timeout > time.Hour {
		return fmt.Errorf("field \"timeout\" is %s, needs at most 1h", timeout)
	}
	return nil
}

// asker sends requests.
type asker struct{ transport http.RoundTripper }

// ask sends a request and returns the answer. What the server repeats of
// secrets is removed.
func (a asker) ask(ctx context.Context, env action.Env, q question) (GetOutput, error) {
	if ctx.Err() != nil {
		return GetOutput{}, &action.Error{
			Reason: reasonInterrupted, Retryable: true, Effect: action.ExtentNone,
			Err: fmt.Errorf("%s was not asked: %w", showRaw(q.url), context.Cause(ctx)),
		}
	}
	headers, clean, err := resolveHeaders(ctx, env, q)
	if err != nil {
		return GetOutput{}, err
	}
	out, err := a.send(ctx, q, headers, clean)
	return out, withoutSecrets(err, clean)
}

func (a asker) send(
	ctx context.Context, q question, headers map[string]string, clean *secret.Redactor,
) (GetOutput, error) {
	timeout := cmp.Or(q.timeout, defaultTimeout)
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var content io.Reader
	if q.contentType != "" {
		content = strings.NewReader(q.body)
	}
	req, err := http.NewRequestWithContext(limited, q.method, q.url, content)
	if err != nil {
		return GetOutput{}, couldNotAsk(ctx, q, timeout, err)
	}
	if q.contentType != "" {
		req.Header.Set("Content-Type", q.contentType)
	}
	if q.key != "" {
		req.Header.Set("Idempotency-Key", q.key)
	}
	setHeaders(req, headers)
	client := &http.Client{Transport: a.transport, CheckRedirect: redirects(headers)}
	if q.changes() {
		client.Transport = once(a.transport)
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	resp, err := client.Do(req)
	if err != nil {
		return GetOutput{}, couldNotAsk(ctx, q, timeout, err)
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	body, err := readBody(resp.Body, q.maxBytes)
	if err != nil {
		return GetOutput{}, couldNotAsk(ctx, q, timeout, err)
	}
	return answer(resp, body, clean), nil
}

// once returns a transport that sends no request twice. The one of the
// standard library sends requests with an Idempotency-Key again when a
// connection that it has used before breaks; not every server knows the header,
// so only an observation may tell whether that is right.
func once(transport http.RoundTripper) http.RoundTripper {
	t, ok := transport.(*http.Transport)
	if !ok {
		return transport
	}
	t = t.Clone()
	t.DisableKeepAlives = true
	return t
}

// errTooLarge is returned by readBody when the body is larger than the limit.
var errTooLarge = errors.New("the body is too large")

func readBody(r io.Reader, limit int64) ([]byte, error) {
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

// keep returns of an answer what an output may hold.
func keep(out GetOutput) RequestOutput {
	kept := RequestOutput{Status: out.Status, Body: out.Body}
	if len(out.Body) <= maxKept {
		kept.JSON = out.JSON
	} else {
		kept.Body = strings.ToValidUTF8(out.Body[:maxKept], "")
	}
	return kept
}

// encodeJSON writes plain values, of which there is none that JSON cannot
// write.
func encodeJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(text)
}
