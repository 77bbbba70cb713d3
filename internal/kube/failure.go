package kube

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/refitproject/refit/internal/action"
)

// The reasons of errors about clusters, beside action.ReasonAccessRefused.
const (
	ReasonUnreachable = action.ReasonUnreachable
	ReasonNotTrusted  = "NotTrusted"
	ReasonNotFound    = "NotFound"
	ReasonConflict    = "Conflict"
	ReasonDenied      = "Denied"
	ReasonInvalid     = "Invalid"
	ReasonTerminating = "Terminating"
	ReasonRefused     = "Refused"
)

// answer is what a cluster, or the way to it, said: what it means and what helps.
type answer struct {
	is     func(error) bool
	reason string
	// clear tells that nothing has happened.
	clear     bool
	retryable bool
	remedy    string
}

// answers are tried in their order.
func answers() []answer {
	return []answer{
		{isCredentials, action.ReasonAccessRefused, true, false, "renew the credentials of the kubeconfig"},
		{isNotTrusted, ReasonNotTrusted, true, false, "correct certificate-authority or server in the kubeconfig"},
		{
			isTerminating, ReasonTerminating, true, false,
			"wait until the namespace is gone; what holds it stands in its status.conditions",
		},
		{isDenied, ReasonDenied, true, false, "satisfy the policy that it names, or ask its owner"},
		{
			apierrors.IsForbidden, action.ReasonAccessRefused, true, false,
			"ask for this right: refit plan --rbac prints all of them",
		},
		{apierrors.IsNotFound, ReasonNotFound, true, false, ""},
		{apierrors.IsConflict, ReasonConflict, true, true, ""},
		{apierrors.IsAlreadyExists, ReasonConflict, true, false, ""},
		{isInvalid, ReasonInvalid, true, false, "correct the object"},
		{isNotSent, ReasonUnreachable, true, true, "is the address right, and the API server up?"},
		{isUnclear, ReasonUnreachable, false, true, ""},
	}
}

// Failure makes an *action.Error of what a cluster, or the way to it, answered.
// doing says what was done on what: "read deployment hub in namespace jhub". unclear
// is what may have happened in the world when there was no answer; questions give
// ExtentNone. An error that is an *action.Error already gets doing before it.
func Failure(doing string, err error, unclear action.Extent) error {
	if failed, ok := errors.AsType[*action.Error](err); ok {
		out := *failed
		out.Err = fmt.Errorf("%s: %w", doing, failed.Err)
		return &out
	}
	out := &action.Error{Reason: ReasonRefused, Effect: action.ExtentNone, Err: fmt.Errorf("%s: %w", doing, err)}
	for _, a := range answers() {
		if !a.is(err) {
			continue
		}
		out.Reason, out.Retryable, out.Remedy = a.reason, a.retryable, a.remedy
		if !a.clear {
			out.Effect = unclear
		}
		return out
	}
	if !isStatus(err) {
		out.Effect = unclear
	}
	return out
}

// isStatus tells whether the server itself has answered.
func isStatus(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status)
}

// isCredentials tells of credentials that are not, or no longer, taken. A client
// certificate that has expired ends the handshake, and a plugin fails before.
func isCredentials(err error) bool {
	if alert, ok := errors.AsType[tls.AlertError](err); ok {
		switch uint8(alert) {
		case 42, 43, 44, 45, 46, 48, 116: // of RFC 8446, section 6: about the client's certificate
			return true
		}
	}
	return apierrors.IsUnauthorized(err) || strings.Contains(err.Error(), "getting credentials: ") ||
		strings.Contains(err.Error(), "remote error: tls: ") && strings.Contains(err.Error(), "certificate")
}

func isNotTrusted(err error) bool {
	_, failed := errors.AsType[*tls.CertificateVerificationError](err)
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, name := errors.AsType[x509.HostnameError](err)
	return failed || unknown || name
}

func isTerminating(err error) bool {
	return apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause)
}

// denied are the words of admission; RBAC says "cannot get resource" instead. A webhook
// chooses the code of its answer itself.
var denied = regexp.MustCompile(`denied the request|denied request|exceeded quota|violates PodSecurity`)

func isDenied(err error) bool { return isStatus(err) && denied.MatchString(err.Error()) }

func isInvalid(err error) bool { return apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) }

// isNotSent tells of a request that never reached the server.
func isNotSent(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return true
	}
	_, ok := errors.AsType[*net.DNSError](err)
	return ok || apierrors.IsTooManyRequests(err)
}

// isUnclear tells of requests without an answer, and of answers that leave open what
// has happened.
func isUnclear(err error) bool {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return status.Status().Code >= 500
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, net.ErrClosed) ||
		strings.Contains(err.Error(), "http2: ") || strings.Contains(err.Error(), "EOF")
}
