package book

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// client asks a server of this machine; it holds its address.
type client struct{ address string }

// get asks with GET and reads the answer into v, unless that is nil.
func (c client) get(ctx context.Context, path string, v any) error {
	return c.do(ctx, http.MethodGet, path, nil, v)
}

func (c client) do(ctx context.Context, method, path string, in, v any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+c.address+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	// A transport of its own: the server of this machine is asked without a proxy.
	one := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := one.Do(req)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return errors.New(reason(resp, data))
	}
	if v == nil {
		return nil
	}
	return json.Unmarshal(data, v)
}

// reason is why a server refused.
func reason(resp *http.Response, data []byte) string {
	var told struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(data, &told) == nil && told.Error != "" {
		return told.Error
	}
	return fmt.Sprintf("the server answered %s: %s", resp.Status, strings.TrimSpace(string(data)))
}

// server returns a client of who serves the folder.
func (f folder) server() (client, error) {
	by, err := f.owner()
	if err != nil {
		return client{}, err
	}
	if by == nil || by.Address == "" {
		return client{}, errors.New("nobody serves the guestbook: start it first")
	}
	return client{by.Address}, nil
}
