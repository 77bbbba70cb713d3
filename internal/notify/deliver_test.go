package notify_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"github.com/refitproject/refit/internal/notify"
)

// message is what the tests send.
func message() notify.Message {
	return notify.Message{
		ID: "hub-prod-1/\"started\"", Title: "hub-prod: gestartet ✓", Text: "a <b> & c\nsecond line",
		Fields: map[string]string{"event": "started", "run": "hub-prod-1"},
	}
}

// asked is a request that a server got.
type asked struct {
	Path, Type, Key, User string
	Body                  map[string]any
}

// hook is a server that takes webhooks and answers with status and body.
func hook(t *testing.T, status int, body string) (*httptest.Server, func() []asked) {
	t.Helper()
	var mu sync.Mutex
	var got []asked
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		a := asked{
			Path: r.URL.RequestURI(), Type: r.Header.Get("Content-Type"), Key: r.Header.Get("Idempotency-Key"),
		}
		a.User, _, _ = r.BasicAuth()
		data, err := io.ReadAll(r.Body)
		if err == nil {
			_ = json.Unmarshal(data, &a.Body) // Not everything that is sent is JSON.
		}
		got = append(got, a)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server, func() []asked {
		mu.Lock()
		defer mu.Unlock()
		return got
	}
}

func sender() notify.Sender {
	return notify.Sender{HTTP: &http.Client{Transport: &http.Transport{}}, Host: "laptop"}
}

func TestWebhooks(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		kind   notify.Kind
		repeat bool
		want   asked
	}{
		"Slack": {
			reason: "Slack gets one text, in which its own characters do no harm.",
			kind:   notify.Slack,
			want: asked{
				Path: "/services/T1/B2?a=b", Type: "application/json", Key: `hub-prod-1/"started"`, User: "ada",
				Body: map[string]any{"text": "*hub-prod: gestartet ✓*\na &lt;b&gt; &amp; c\nsecond line"},
			},
		},
		"Webhook": {
			reason: "A webhook gets everything, and is told that it may have it already.",
			kind:   notify.Webhook, repeat: true,
			want: asked{
				Path: "/services/T1/B2?a=b", Type: "application/json", Key: `hub-prod-1/"started"`, User: "ada",
				Body: map[string]any{
					"event": "started", "run": "hub-prod-1", "id": `hub-prod-1/"started"`,
					"title": "hub-prod: gestartet ✓", "text": "a <b> & c\nsecond line", "repeat": "true",
				},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, got := hook(t, http.StatusOK, "ok")
			m := message()
			m.Repeat = tc.repeat
			address := strings.Replace(server.URL, "://", "://ada:hunter2@", 1) + "/services/T1/B2?a=b"
			if err := sender().Deliver(t.Context(), tc.kind, address, m); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]asked{tc.want}, got()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestService sends over two services of the library to a real server.
func TestService(t *testing.T) {
	t.Parallel()
	server, got := hook(t, http.StatusOK, `{"id": "1"}`)
	host := strings.TrimPrefix(server.URL, "http://")
	for _, address := range []string{
		"mattermost://" + host + "/token-hunter2?disabletls=yes", "ntfy://" + host + "/topic-hunter2?scheme=http",
	} {
		if err := sender().Deliver(t.Context(), notify.Service, address, message()); err != nil {
			t.Errorf("send: %v", err)
		}
	}
	list := got()
	if len(list) != 2 || !strings.HasPrefix(list[0].Path, "/hooks/token-hunter2") {
		t.Errorf("got %v", list)
	}
}

// TestTrouble tests that trouble is told in one line that holds nothing of the
// address.
func TestTrouble(t *testing.T) {
	t.Parallel()
	const path = "/services/planted-hunter2"
	refusing := func(status int, body string) func(t *testing.T) string {
		return func(t *testing.T) string {
			t.Helper()
			server, _ := hook(t, status, body)
			return server.URL + path
		}
	}
	closed := func(t *testing.T) string {
		t.Helper()
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		return "http://" + l.Addr().String() + path
	}
	for name, tc := range map[string]struct {
		kind    notify.Kind
		address func(t *testing.T) string
		want    string
	}{
		"Revoked": {
			notify.Slack, refusing(http.StatusForbidden, "invalid_token /services/planted-hunter2\nmore"),
			"the service answered with status 403: invalid_token *** more: check the address, it may have been revoked",
		},
		"Down":     {notify.Webhook, refusing(http.StatusBadGateway, "<html>"), "the service answered with status 502"},
		"Moved":    {notify.Webhook, refusing(http.StatusMovedPermanently, ""), "the service answered with status 301: it has moved: correct the address"},
		"Closed":   {notify.Webhook, closed, "the connection was refused: nothing listens there"},
		"Unknown":  {notify.Webhook, text("http://planted-hunter2.invalid/x"), "the name of its host cannot be resolved"},
		"Hangs":    {notify.Webhook, hanging("http://%s" + path), "it did not answer in time"},
		"MailHang": {notify.Mail, hanging("smtp://u:planted-hunter2@%s/?from=a@example.org&to=b@example.org"), "it did not answer in time"},
		"SvcHang":  {notify.Service, hanging("ntfy://%s/planted-hunter2?scheme=http"), "it did not answer in time"},
		"SvcDown": {
			notify.Service, func(t *testing.T) string {
				t.Helper()
				return strings.Replace(closed(t), "http://", "gotify://", 1) + "/AzyoeNS.D4iJLVa?disabletls=yes"
			}, "the connection was refused: nothing listens there",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			patience := 30 * time.Second
			if tc.want == "it did not answer in time" {
				patience = 500 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			address := tc.address(t)
			err := sender().Deliver(ctx, tc.kind, address, message())
			if err == nil || err.Error() != tc.want {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the address is in %q", err)
			}
		})
	}
}

func text(s string) func(*testing.T) string { return func(*testing.T) string { return s } }

// hanging is the address of a server that takes connections and says nothing.
func hanging(form string) func(t *testing.T) string {
	return func(t *testing.T) string {
		t.Helper()
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return strings.Replace(form, "%s", l.Addr().String(), 1)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for address, tc := range map[string]struct {
		kind notify.Kind
		want string
	}{
		"":                                    {notify.Slack, "the address is empty"},
		"https://h/hunter2\nx":                {notify.Slack, "the address has more than one line"},
		"ftp://h/hunter2":                     {notify.Slack, "the address does not begin with https:// or http://"},
		"https:///hunter2":                    {notify.Webhook, "the address has no host"},
		"https://h/%zzhunter2":                {notify.Webhook, "the address cannot be read as a URL"},
		"https://h/":                          {"pager", `there is no kind of channel "pager": use one of mail, service, slack and webhook`},
		"http://h/?from=hunter2":              {notify.Mail, "the address does not begin with smtp:// or smtps://"},
		"smtp://h/?to=b@x.org":                {notify.Mail, "the address does not say who sends: add ?from=ADDRESS"},
		"smtp://h/?from=a@x.org":              {notify.Mail, "the address does not say who receives: add &to=ADDRESS"},
		"smtp://h/?from=a&to=b@x":             {notify.Mail, "from of the address is no mail address"},
		"smtp://h/?from=a@x&to=b":             {notify.Mail, "to of the address is no list of mail addresses"},
		"smtp://h:0/?from=a@x&to=":            {notify.Mail, "the port of the address is out of range"},
		"smtp://h/?cc=hunter2":                {notify.Mail, "the address has a part that is not known: use from, to and tls"},
		"smtp://h/?from=a@x&to=b@x&tls=no":    {notify.Mail, "tls of the address can only be none: without it TLS is required"},
		"smtps://h/?from=a@x&to=b@x&tls=none": {notify.Mail, "the address begins with smtps:// and says tls=none"},
		"smtp://u:hunter2@h/?from=a@x&to=b@x&tls=none": {
			notify.Mail, "the address has a password and tls=none: the password could be read on the way",
		},
		"nowhere://hunter2": {notify.Service, "the address names no service that is known: the reference of notifications lists them"},
		"logger://":         {notify.Service, "the service logger tells nobody: use another one"},
		"telegram://hunter2": {
			notify.Service, "the address is not complete, or not of this service: " +
				"the reference of notifications says where its form is described",
		},
		"generic+https://h/": {notify.Service, "webhooks have a kind of their own: write kind: webhook or kind: slack"},
	} {
		if err := notify.Check(tc.kind, address); err == nil || err.Error() != tc.want {
			t.Errorf("%s %q:\ngot  %v\nwant %s", tc.kind, address, err, tc.want)
		}
	}
}

// office is a mail server.
type office struct {
	mu   sync.Mutex
	got  []*mail.Message
	body []string
	to   [][]string
	// refuse is what it says to a recipient of this name.
	refuse string
}

func (o *office) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{office: o}, nil }

type session struct {
	office *office
	to     []string
	known  bool
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "ada" || password != "hunter2" {
			return errors.New("wrong password " + password)
		}
		s.known = true
		return nil
	}), nil
}

func (s *session) Mail(string, *smtp.MailOptions) error {
	if !s.known {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.office.refuse != "" && strings.HasPrefix(to, s.office.refuse) {
		return &smtp.SMTPError{Code: 550, Message: "no such person " + to}
	}
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(m.Body)
	if err != nil {
		return err
	}
	s.office.mu.Lock()
	defer s.office.mu.Unlock()
	s.office.got, s.office.body = append(s.office.got, m), append(s.office.body, string(body))
	s.office.to = append(s.office.to, s.to)
	return nil
}

func (s *session) Reset()        { s.to = nil }
func (s *session) Logout() error { return nil }

// open starts the server, with the certificate of a test server, and returns a
// sender that trusts it.
func (o *office) open(t *testing.T) (notify.Sender, string) {
	t.Helper()
	certified := httptest.NewTLSServer(nil)
	t.Cleanup(certified.Close)
	server := smtp.NewServer(o)
	server.TLSConfig = &tls.Config{Certificates: certified.TLS.Certificates, MinVersion: tls.VersionTLS12}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	pool := x509.NewCertPool()
	pool.AddCert(certified.Certificate())
	s := sender()
	s.TLS = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return s, l.Addr().String()
}

func TestMail(t *testing.T) {
	t.Parallel()
	o := &office{}
	s, host := o.open(t)
	address := "smtp://ada:hunter2@" + host + "/?from=refit@example.org&to=ops@example.org,night@example.org"
	for range 2 {
		if err := s.Deliver(t.Context(), notify.Mail, address, message()); err != nil {
			t.Fatal(err)
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.got) != 2 {
		t.Fatalf("got %d mails", len(o.got))
	}
	if a, b := o.got[0].Header.Get("Message-Id"), o.got[1].Header.Get("Message-Id"); a == "" || a != b {
		t.Errorf("the same message has the ids %q and %q", a, b)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(o.got[0].Header.Get("Subject"))
	if err != nil || subject != "hub-prod: gestartet ✓" {
		t.Errorf("the subject is %q, %v", subject, err)
	}
	if diff := cmp.Diff([]string{"ops@example.org", "night@example.org"}, o.to[0]); diff != "" {
		t.Errorf("recipients (-want +got):\n%s", diff)
	}
	if !strings.Contains(o.body[0], "second line") {
		t.Errorf("the body is %q", o.body[0])
	}
}

func TestMailTrouble(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason, user, refuse string
		trusted              bool
	}{
		"Password":    {reason: "A wrong password is not repeated.", user: "eve:planted-hunter2@", trusted: true},
		"Recipient":   {reason: "A recipient is part of the address.", user: "ada:hunter2@", refuse: "ops", trusted: true},
		"Certificate": {reason: "Nothing is sent to a server that nobody vouches for.", user: "ada:hunter2@"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := &office{refuse: tc.refuse}
			s, host := o.open(t)
			if !tc.trusted {
				s.TLS = nil
			}
			err := s.Deliver(t.Context(), notify.Mail,
				"smtp://"+tc.user+host+"/?from=refit@example.org&to=ops@example.org", message())
			if err == nil {
				t.Fatalf("%s: it was sent", tc.reason)
			}
			for _, part := range []string{"hunter2", "ops@", host, "\n"} {
				if strings.Contains(err.Error(), part) {
					t.Errorf("%s: %q holds %q", tc.reason, err, part)
				}
			}
			t.Log(err)
			if len(o.got) != 0 {
				t.Errorf("%s: a mail arrived", tc.reason)
			}
		})
	}
}
