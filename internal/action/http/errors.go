package http

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/secret"
)

// The reasons of errors of this package.
const (
	reasonRefused             = "ConnectionRefused"
	reasonHostNotFound        = "HostNotFound"
	reasonTimeout             = "Timeout"
	reasonInterrupted         = "Interrupted"
	reasonCertificateRejected = "CertificateRejected"
	reasonRedirectRefused     = "RedirectRefused"
	reasonBodyTooLarge        = "BodyTooLarge"
	reasonRequestFailed       = "RequestFailed"
)

// couldNotAsk explains why there is no answer to q. ctx is the context of the
// caller, without the timeout of the action.
func couldNotAsk(ctx context.Context, q question, timeout time.Duration, err error) error {
	// The error of the client repeats the address with its query.
	if urlError, ok := errors.AsType[*url.Error](err); ok {
		err = urlError.Err
	}
	failure := explain(ctx, timeout, err)
	failure.Effect = action.ExtentNone
	verb := "ask"
	if q.changes() {
		verb = "send " + q.method + " to"
		if !neverSent(err) {
			failure.Effect = action.ExtentUnknown
		}
	}
	failure.Err = fmt.Errorf("%s %s: %w", verb, showRaw(q.url), failure.Err)
	return failure
}

// neverSent tells whether a request certainly did not reach the server: there
// was no connection to it.
func neverSent(err error) bool {
	op, isOp := errors.AsType[*net.OpError](err)
	_, isDNS := errors.AsType[*net.DNSError](err)
	_, isCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	return isDNS || isCertificate || (isOp && op.Op == "dial")
}

// explain gives err a reason. What it keeps of the text of err never holds an
// address with its query.
func explain(ctx context.Context, timeout time.Duration, err error) *action.Error {
	_, isDNS := errors.AsType[*net.DNSError](err)
	_, isCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case ctx.Err() != nil:
		return &action.Error{Reason: reasonInterrupted, Retryable: true, Err: context.Cause(ctx)}
	case errors.Is(err, context.DeadlineExceeded):
		return &action.Error{
			Reason: reasonTimeout, Retryable: true, Remedy: "check the server or set a longer timeout",
			Err: fmt.Errorf("no complete answer within %s", timeout),
		}
	case isDNS:
		return &action.Error{
			Reason: reasonHostNotFound, Retryable: true, Remedy: "check the name of the host and the name server",
			Err: errors.New("the host name was not found"),
		}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &action.Error{
			Reason: reasonRefused, Retryable: true, Remedy: "check that the server runs and that the port is right",
			Err: errors.New("connection refused"),
		}
	case isCertificate:
		return &action.Error{
			Reason: reasonCertificateRejected,
			Remedy: "renew the certificate, or add its authority to the trusted ones of this machine", Err: err,
		}
	case errors.Is(err, errRedirects), errors.Is(err, errRedirectScheme):
		return &action.Error{Reason: reasonRedirectRefused, Remedy: "give the address that it leads to", Err: err}
	case errors.Is(err, errTooLarge):
		return &action.Error{Reason: reasonBodyTooLarge, Remedy: "ask for less, or use exec.observe", Err: err}
	case strings.Contains(err.Error(), "failed to parse Location header"): // and says where, which may be a secret
		return &action.Error{
			Reason: reasonRequestFailed, Retryable: true, Remedy: "give the address that it should lead to",
			Err: errors.New("it redirects to something that is no address"),
		}
	default:
		return &action.Error{Reason: reasonRequestFailed, Retryable: true, Err: errors.New(withoutQueries(err.Error()))}
	}
}

// withoutSecrets removes secrets from the text of an error, such as of a
// redirect to an address that holds one.
func withoutSecrets(err error, clean *secret.Redactor) error {
	failure, ok := errors.AsType[*action.Error](err)
	if !ok || failure.Err == nil {
		return err
	}
	if text := failure.Err.Error(); clean.Text(text) != text {
		failure.Err = errors.New(clean.Text(text))
	}
	return failure
}

// show returns an address as messages may show it: without user, query and
// fragment.
func show(u *url.URL) string {
	plain := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return plain.String()
}

func showRaw(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "the address"
	}
	return show(u)
}

// withoutQueries removes queries, fragments and users of addresses from the
// text of an error that this package does not know.
func withoutQueries(text string) string {
	text = regexp.MustCompile(`//[^/\s"]*@`).ReplaceAllString(text, "//")
	return regexp.MustCompile(`[?#][^\s"]*`).ReplaceAllString(text, "")
}
