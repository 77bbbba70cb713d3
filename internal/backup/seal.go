package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// sealed returns value as a line of JSON, and a second line with the digest of
// the first.
func sealed(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return append(b.Bytes(), sealOf(b.Bytes())...), nil
}

func sealOf(line []byte) []byte {
	sum := sha256.Sum256(line)
	return fmt.Appendf(nil, "{\"sha256\":%q}\n", hex.EncodeToString(sum[:]))
}

// unseal reads what sealed has written into value, if every byte is as it was.
func unseal(data []byte, value any) error {
	end := bytes.IndexByte(data, '\n') + 1
	if end == 0 {
		return errors.New("its end is missing")
	}
	if !bytes.Equal(data[end:], sealOf(data[:end])) {
		return errors.New("its bytes are not those that were written")
	}
	// Fields that a newer Refit has added are no damage: the seal says so.
	if err := json.Unmarshal(data[:end], value); err != nil {
		return fmt.Errorf("it cannot be read: %w", err)
	}
	return nil
}

// digestOf returns the digest of bytes as hexadecimal digits.
func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
