package backup

import (
	"net/http"
	"testing"

	"github.com/minio/minio-go/v7"
)

// TestAnsweredFull recognises a full store by whatever the server says of it.
func TestAnsweredFull(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]minio.ErrorResponse{
		"Code":   {Code: "XMinioStorageFull", StatusCode: http.StatusInsufficientStorage},
		"Status": {Code: "Other", StatusCode: http.StatusInsufficientStorage},
		"Cause": {
			Code: "InternalError", StatusCode: http.StatusInternalServerError,
			Message: "We encountered an internal error, please try again.: cause(no space left on device)",
		},
	} {
		if got := (&bucket{}).answered(answer); got.reason != ReasonStoreFull || got.remedy != makeRoom {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	other := minio.ErrorResponse{Code: "InternalError", StatusCode: http.StatusInternalServerError, Message: "try again"}
	if got := (&bucket{}).answered(other); got.reason != ReasonStoreTrouble {
		t.Errorf("another internal error: got %+v", got)
	}
}
