package backup

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"

	"github.com/refitproject/refit/internal/action"
)

// codeConflict is what a server says when two write one object at a time.
const codeConflict = "ConditionalRequestConflict"

// codeOf returns the code of the answer of an S3 server, "" for other errors.
func codeOf(err error) string {
	if answer, ok := errors.AsType[minio.ErrorResponse](err); ok {
		return answer.Code
	}
	return ""
}

// failed says what a server did not do, with the reasons of the other stores.
// What went wrong because the work was ended from outside is that.
func (b *bucket) failed(ctx context.Context, what, name string, err error) error {
	if action.ReasonOf(err) != "" {
		return err
	}
	if ended := ctx.Err(); ended != nil {
		return storeFailure(b.address, what, name, ended)
	}
	t := b.troubleOf(err)
	return failure(t.reason, t.remedy, true, "backup store %q: %s: %w", b.address, doing(what, name), t.err)
}

// trouble is an error of a server in the words of this package.
type trouble struct {
	reason, remedy string
	err            error
}

const keysRemedy = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, or name a profile with " +
	"AWS_PROFILE"

func (b *bucket) troubleOf(err error) trouble {
	if missing, ok := errors.AsType[*noKeysError](err); ok {
		return trouble{action.ReasonAccessRefused, keysRemedy, missing}
	}
	if answer, ok := errors.AsType[minio.ErrorResponse](err); ok {
		return b.answered(answer)
	}
	return unreachable(err)
}

// makeRoom is what helps against a full store.
const makeRoom = "make room there, or remove old ones with refit backup prune"

// answered sorts the answers of servers: those of AWS, of MinIO and of Ceph.
func (b *bucket) answered(answer minio.ErrorResponse) trouble {
	err := fmt.Errorf("%s (%s)", strings.TrimSuffix(answer.Error(), "."), answer.Code)
	switch answer.Code {
	case minio.NoSuchBucket:
		return trouble{
			ReasonStoreGone, "create the bucket, or correct the address",
			fmt.Errorf("there is no bucket %q", b.name),
		}
	case minio.InvalidAccessKeyID, minio.SignatureDoesNotMatch, "ExpiredToken", "InvalidToken", "InvalidTokenId",
		"InvalidClientTokenId", "TokenRefreshRequired", "NotSignedUp", "AccountProblem":
		return trouble{
			action.ReasonAccessRefused,
			"correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or where else the keys come from", err,
		}
	case "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "QuotaExceeded", "InsufficientCapacity":
		return trouble{ReasonStoreFull, makeRoom, err}
	case minio.RequestTimeTooSkewed:
		return trouble{ReasonStoreTrouble, "set the clock of this machine, or that of the server", err}
	case minio.AuthorizationHeaderMalformed, minio.InvalidRegion, "PermanentRedirect", "TemporaryRedirect",
		"IllegalLocationConstraintException":
		return trouble{ReasonStoreAddress, "write the region of the bucket into the address: region=…", err}
	case minio.NotImplemented:
		return trouble{ReasonStoreTrouble, "name a server that knows conditional writes (If-None-Match)", err}
	}
	// MinIO names a disk that filled up while it wrote as the cause of an internal error
	// (seen with 2026-02-12).
	if strings.Contains(answer.Message, "no space left on device") {
		return trouble{ReasonStoreFull, makeRoom, err}
	}
	switch answer.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusMethodNotAllowed:
		return trouble{ReasonStoreReadOnly, "permit these keys to list, read, write and remove there", err}
	case http.StatusInsufficientStorage:
		return trouble{ReasonStoreFull, makeRoom, err}
	}
	return trouble{ReasonStoreTrouble, "see whether the store is in order", err}
}

// unreachable says why there was no answer.
func unreachable(err error) trouble {
	const gone = "see whether the server runs and can be reached from here"
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = failed.Err // the address stands in the message already
	}
	switch {
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return trouble{ReasonStoreAddress, "write http:// in the endpoint", errors.New("the server speaks no TLS")}
	case isCertificate(err):
		return trouble{
			ReasonStoreTrouble, "let this machine trust its certificate, or correct the endpoint",
			err,
		}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		strings.HasPrefix(err.Error(), "Connection closed by foreign host"): // the library makes that of EOF
		return trouble{ReasonStoreGone, gone, errors.New("the server has closed the connection")}
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return trouble{ReasonStoreGone, gone, err}
	}
	return trouble{ReasonStoreTrouble, "see whether the store is in order", err}
}

func isCertificate(err error) bool {
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	_, host := errors.AsType[x509.HostnameError](err)
	_, invalid := errors.AsType[x509.CertificateInvalidError](err)
	return authority || host || invalid
}
