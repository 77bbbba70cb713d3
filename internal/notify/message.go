package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Kind is a way to deliver messages.
type Kind string

// The kinds.
const (
	Slack   Kind = "slack"
	Mail    Kind = "mail"
	Webhook Kind = "webhook"
	Service Kind = "service"
)

// Kinds lists the kinds.
func Kinds() []Kind { return []Kind{Mail, Service, Slack, Webhook} }

// Message is what is delivered.
type Message struct {
	// ID is the same however often the message is sent: whoever receives it twice
	// can tell. Mails carry it as their Message-ID, webhooks as Idempotency-Key.
	ID string
	// Title is one line, Text may have several; both are plain text.
	Title, Text string
	// Fields go into the JSON of a webhook beside title and text.
	Fields map[string]string
	// Repeat tells that the message may have been delivered before: the process
	// that sent it ended before it could record that.
	Repeat bool
}

// Sender delivers messages. It is safe for concurrent use.
type Sender struct {
	// HTTP sends requests. Redirects are not followed.
	HTTP *http.Client
	// TLS is the base of the TLS configuration for mail servers; nil for that of
	// the system.
	TLS *tls.Config
	// Host names this machine in mails.
	Host string
}

// Deliver sends a message to an address. An error is one line that holds nothing
// of the address; after it the message may have arrived all the same, when the
// answer was lost.
func (s Sender) Deliver(ctx context.Context, kind Kind, address string, m Message) error {
	if err := Check(kind, address); err != nil {
		return err
	}
	if s.HTTP == nil {
		return errors.New("there is nothing to send with")
	}
	address = strings.TrimSpace(address)
	m.Title = oneLine(m.Title)
	var err error
	switch kind {
	case Slack:
		err = s.post(ctx, address, m, slackBody(m))
	case Webhook:
		err = s.post(ctx, address, m, webhookBody(m))
	case Mail:
		err = s.mail(ctx, address, m)
	case Service:
		err = viaService(ctx, address, m)
	}
	return hide(err, address)
}

// Check tells in an error what is wrong with an address, without quoting it.
func Check(kind Kind, address string) error {
	address = strings.TrimSpace(address)
	if address == "" {
		return errors.New("the address is empty")
	}
	if strings.ContainsAny(address, "\r\n\t\x00") {
		return errors.New("the address has more than one line")
	}
	switch kind {
	case Slack, Webhook:
		_, err := webAddress(address)
		return err
	case Mail:
		_, err := parseMail(address)
		return err
	case Service:
		_, err := newService(address)
		return err
	}
	return fmt.Errorf("there is no kind of channel %q: use one of mail, service, slack and webhook", kind)
}
