package notify

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail"
)

// mailAddress is an address of mail:
// smtp://USER:PASSWORD@HOST:PORT/?from=A&to=B,C&tls=none.
type mailAddress struct {
	host           string
	port           int
	user, password string
	from           string
	to             []string
	// implicit begins with TLS, none has none. Else STARTTLS is required.
	implicit, none bool
}

// The ports of mail servers.
const (
	portSubmission  = 587
	portSubmissions = 465
)

// parseMail reads an address of mail.
func parseMail(address string) (mailAddress, error) {
	u, err := url.Parse(address)
	if err != nil {
		return mailAddress{}, errors.New("the address cannot be read as a URL")
	}
	query := u.Query()
	a := mailAddress{
		host: u.Hostname(), port: portSubmission, user: u.User.Username(), from: query.Get("from"),
		implicit: u.Scheme == "smtps", none: query.Get("tls") == "none",
	}
	a.password, _ = u.User.Password()
	if a.implicit {
		a.port = portSubmissions
	}
	if p := u.Port(); p != "" {
		if a.port, err = strconv.Atoi(p); err != nil || a.port < 1 || a.port > 65535 {
			return a, errors.New("the port of the address is out of range")
		}
	}
	for _, to := range query["to"] {
		for one := range strings.SplitSeq(to, ",") {
			if one = strings.TrimSpace(one); one != "" {
				a.to = append(a.to, one)
			}
		}
	}
	for key := range query {
		if key != "from" && key != "to" && key != "tls" {
			return a, errors.New("the address has a part that is not known: use from, to and tls")
		}
	}
	if err := a.check(u, query.Has("tls")); err != nil {
		return a, err
	}
	return a, checkRecipients(a)
}

// check refuses what does not fit together.
func (a mailAddress) check(u *url.URL, tls bool) error {
	switch {
	case u.Scheme != "smtp" && u.Scheme != "smtps":
		return errors.New("the address does not begin with smtp:// or smtps://")
	case a.host == "":
		return errors.New("the address has no host")
	case a.from == "":
		return errors.New("the address does not say who sends: add ?from=ADDRESS")
	case len(a.to) == 0:
		return errors.New("the address does not say who receives: add &to=ADDRESS")
	case tls && !a.none:
		return errors.New("tls of the address can only be none: without it TLS is required")
	case a.none && a.implicit:
		return errors.New("the address begins with smtps:// and says tls=none")
	case a.none && a.user != "" && !isLoopback(a.host):
		return errors.New("the address has a password and tls=none: the password could be read on the way")
	}
	return nil
}

func isLoopback(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "::1"
}

// checkRecipients lets the library read the addresses of people.
func checkRecipients(a mailAddress) error {
	m := mail.NewMsg()
	if m.From(a.from) != nil {
		return errors.New("from of the address is no mail address")
	}
	if m.To(a.to...) != nil {
		return errors.New("to of the address is no list of mail addresses")
	}
	return nil
}

// mail sends a message to all recipients in one transaction, so that either all
// get it or the whole is sent again.
func (s Sender) mail(ctx context.Context, address string, m Message) error {
	a, err := parseMail(address)
	if err != nil {
		return err
	}
	client, err := mail.NewClient(a.host, s.mailOptions(ctx, a)...)
	if err != nil {
		return fmt.Errorf("prepare the connection: %w", err)
	}
	msg, err := s.letter(a, m)
	if err != nil {
		return err
	}
	err = client.DialAndSendWithContext(ctx, msg)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (s Sender) mailOptions(ctx context.Context, a mailAddress) []mail.Option {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.TLS != nil {
		config = s.TLS.Clone()
	}
	config.ServerName = a.host
	options := []mail.Option{
		mail.WithPort(a.port), mail.WithTLSConfig(config), mail.WithHELO(orLocal(s.Host)),
		mail.WithDialContextFunc(dialling(ctx, a, config)),
	}
	switch {
	case a.implicit:
		options = append(options, mail.WithSSL())
	case a.none:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if a.user != "" {
		auth := mail.SMTPAuthAutoDiscover
		if a.none {
			auth = mail.SMTPAuthPlainNoEnc // Only to this machine itself: see parseMail.
		}
		options = append(options, mail.WithSMTPAuth(auth), mail.WithUsername(a.user), mail.WithPassword(a.password))
	}
	return options
}

// dialling returns what connects. The connection is closed when ctx ends: the
// library listens to it only while it connects, and a server may say nothing.
func dialling(ctx context.Context, a mailAddress, config *tls.Config) mail.DialContextFunc {
	return func(dial context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(dial, network, address)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, func() { _ = conn.Close() }) // It may have been closed in order.
		if !a.implicit {
			return conn, nil
		}
		secure := tls.Client(conn, config)
		return secure, secure.HandshakeContext(dial)
	}
}

func orLocal(host string) string {
	if host == "" {
		return "localhost"
	}
	return host
}

// letter writes the mail.
func (s Sender) letter(a mailAddress, m Message) (*mail.Msg, error) {
	msg := mail.NewMsg()
	if err := errors.Join(msg.From(a.from), msg.To(a.to...)); err != nil {
		return nil, fmt.Errorf("address the mail: %w", err)
	}
	msg.Subject(m.Title)
	msg.SetDate()
	if m.ID != "" {
		sum := sha256.Sum256([]byte(m.ID))
		msg.SetMessageIDWithValue(hex.EncodeToString(sum[:16]) + "@refit." + orLocal(s.Host))
	} else {
		msg.SetMessageID()
	}
	// Nobody's absence note is wanted as an answer.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	text := clip(m.Text, maxText)
	if m.Repeat {
		text += "\n\n" + repeated
	}
	msg.SetBodyString(mail.TypeTextPlain, text+"\n")
	return msg, nil
}
