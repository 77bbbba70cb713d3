package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/refitproject/refit/internal/secret"
)

// maxText is how many bytes of text go into a message: services refuse longer
// ones, and nobody reads them.
const maxText = 3000

// webAddress reads the address of a webhook.
func webAddress(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, errors.New("the address cannot be read as a URL")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("the address does not begin with https:// or http://")
	case u.Host == "":
		return nil, errors.New("the address has no host")
	}
	return u, nil
}

// slackBody is what Slack, Mattermost, Rocket.Chat and others take.
func slackBody(m Message) map[string]string {
	// The three characters that Slack gives a meaning.
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace
	text := "*" + escape(m.Title) + "*"
	if m.Text != "" {
		text += "\n" + escape(clip(m.Text, maxText))
	}
	if m.Repeat {
		text += "\n_" + repeated + "_"
	}
	return map[string]string{"text": text}
}

// repeated is said with a message that may have been delivered before.
const repeated = "This may be a repetition: the process that sent it was interrupted."

// webhookBody holds everything, as strings.
func webhookBody(m Message) map[string]string {
	body := map[string]string{}
	maps.Copy(body, m.Fields)
	body["id"], body["title"], body["text"] = m.ID, m.Title, clip(m.Text, maxText)
	if m.Repeat {
		body["repeat"] = "true"
	}
	return body
}

// post sends a JSON object.
func (s Sender) post(ctx context.Context, address string, m Message, body map[string]string) error {
	u, err := webAddress(address)
	if err != nil {
		return err
	}
	data, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write the message as JSON: %w", err)
	}
	user := u.User
	u.User = nil
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(data))
	if err != nil {
		return errors.New("the address cannot be used in a request")
	}
	if user != nil {
		password, _ := user.Password()
		req.SetBasicAuth(user.Username(), password)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "refit")
	if m.ID != "" {
		req.Header.Set("Idempotency-Key", m.ID)
	}
	client := *s.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // It was only read from.
	const most = 4 << 10
	said, _ := io.ReadAll(io.LimitReader(resp.Body, most)) // It is told to people if there is any.
	clean := secret.NewRedactor(secretsOf(address)...)
	if len(said) == most {
		return judge(resp.StatusCode, clean.Head(string(said)))
	}
	return judge(resp.StatusCode, clean.Text(string(said)))
}

// judge says what is wrong with an answer, which holds no secrets any more: it is
// cut, and half a secret would not be known again.
func judge(status int, said string) error {
	if status >= 200 && status <= 299 {
		return nil
	}
	text := fmt.Sprintf("the service answered with status %d", status)
	if said = clip(oneLine(said), 120); said != "" && !strings.HasPrefix(said, "<") {
		text += ": " + said
	}
	switch {
	case status >= 300 && status <= 399:
		text += ": it has moved: correct the address"
	case status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusNotFound ||
		status == http.StatusGone:
		text += ": check the address, it may have been revoked"
	}
	return errors.New(text)
}
