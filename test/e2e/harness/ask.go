package harness

import (
	"context"
	"io"
	"net/http"
	"time"
)

// Ask sends a request with a token to a JupyterHub, and returns the status and the body
// of the answer; code 0 is no answer, and then text says why.
func Ask(ctx context.Context, method, url, token string) (code int, text string) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, http.NoBody)
	if err != nil {
		return 0, err.Error()
	}
	// A forwarded connection does not tell when the other end closes it.
	request.Close = true
	request.Header.Set("Authorization", "token "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(body)
}
