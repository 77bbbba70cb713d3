package backup

import (
	"errors"
	"net/url"
)

func (o Opener) openS3(_ string, _ *url.URL) (Store, error) {
	return nil, errors.ErrUnsupported
}
