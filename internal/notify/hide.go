package notify

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/refitproject/refit/internal/secret"
)

// hide returns an error as one line without anything of the address.
func hide(err error, address string) error {
	if err == nil {
		return nil
	}
	if text := plainCause(err); text != "" {
		return errors.New(text)
	}
	return errors.New(clip(oneLine(secret.NewRedactor(secretsOf(address)...).Text(err.Error())), 300))
}

// plainCause words the usual troubles, whose own texts name hosts and addresses.
func plainCause(err error) string {
	var unknown *net.DNSError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "it did not answer in time"
	case errors.Is(err, context.Canceled):
		return "the sending was broken off"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused: nothing listens there"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF),
		errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed before an answer came"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "there is no route to its host"
	case errors.As(err, &unknown):
		return "the name of its host cannot be resolved"
	case errors.As(err, &authority):
		return "its certificate is not signed by anybody who is trusted here"
	case errors.As(err, &name):
		return "its certificate is for another host"
	case errors.As(err, &invalid):
		return "its certificate is not valid now"
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return "it did not answer in time"
	}
	return ""
}

// secretsOf returns the address and its parts. Short ones stand in too many
// words by chance, but for a password that does not count.
func secretsOf(address string) []string {
	u, err := url.Parse(address)
	if err != nil {
		return []string{address}
	}
	parts := append(strings.Split(u.Path, "/"), address, u.Host, u.Hostname(), u.RequestURI(), u.RawQuery,
		u.User.Username())
	for _, values := range u.Query() {
		for _, v := range values {
			parts = append(append(parts, v), strings.Split(v, ",")...)
		}
	}
	const shortest = 4
	parts = slices.DeleteFunc(parts, func(p string) bool { return len(p) < shortest })
	password, _ := u.User.Password()
	return append(parts, password)
}

// oneLine returns a text as one line without control characters.
func oneLine(s string) string {
	fields := strings.FieldsFunc(strings.ToValidUTF8(s, "�"), func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r)
	})
	return strings.Join(fields, " ")
}

// clip cuts a text to so many bytes.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	const dots = "…"
	end := most - len(dots)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + dots
}
