package http

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/refitproject/refit/internal/action"
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
	a := asker{transport: client.Transport}
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
			out, err := a.ask(ctx, env, question{
				method: http.MethodGet, url: in.URL, headers: in.Headers, secretHeaders: in.SecretHeaders,
				timeout: in.Timeout, maxBytes: in.MaxBytes,
			})
			if err != nil {
				return action.Observed[GetOutput]{}, err
			}
			return action.Saw(out), nil
		},
	})
}

func checkGet(in GetInput) error {
	if err := checkAddress("url", in.URL); err != nil {
		return err
	}
	if in.MaxBytes < 0 || in.MaxBytes > maxBytes {
		return fmt.Errorf("field \"maxBytes\" is %d, needs 1 to %d", in.MaxBytes, maxBytes)
	}
	if err := checkTimeout(in.Timeout); err != nil {
		return err
	}
	return checkHeaders(in.Headers, in.SecretHeaders)
}
