package notify

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"
)

// newService returns what sends to an address of the library: teams://…,
// ntfy://…, telegram://….
func newService(address string) (types.Service, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "" {
		return nil, errors.New("the address cannot be read as a URL")
	}
	scheme, _, _ := strings.Cut(strings.ToLower(u.Scheme), "+")
	switch scheme {
	case "logger":
		return nil, errors.New("the service logger tells nobody: use another one")
	case "smtp":
		return nil, errors.New("mail has a kind of its own: write kind: mail")
	case "generic", "http", "https":
		return nil, errors.New("webhooks have a kind of their own: write kind: webhook or kind: slack")
	}
	var r router.ServiceRouter
	service, err := r.Locate(address)
	switch {
	case errors.Is(err, router.ErrUnknownService):
		return nil, errors.New("the address names no service that is known: the reference of notifications lists them")
	case err != nil:
		// What the library says quotes the address.
		return nil, errors.New("the address is not complete, or not of this service: " +
			"the reference of notifications says where its form is described")
	}
	return service, nil
}

// viaService sends through the library. Its services do not listen to a
// context: one that hangs is left alone, and ends with its connection.
func viaService(ctx context.Context, address string, m Message) error {
	service, err := newService(address)
	if err != nil {
		return err
	}
	text := clip(m.Text, maxText)
	if m.Repeat {
		text += "\n\n" + repeated
	}
	params := types.Params{}
	params.SetTitle(m.Title)
	if text == "" {
		text = m.Title
	}
	sent := make(chan error, 1)
	go func() { sent <- send(service, text, params) }()
	select {
	case err := <-sent:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// send keeps a breakdown of the library from ending the program.
func send(service types.Service, text string, params types.Params) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the service broke down")
		}
	}()
	return service.Send(text, &params)
}
