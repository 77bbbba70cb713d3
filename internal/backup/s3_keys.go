package backup

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// keyVariables are where the environment may have keys, in the order in which
// they count: the names of key, secret and token.
func keyVariables() [][3]string {
	return [][3]string{
		{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"},
		{"AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SESSION_TOKEN"},
		{"MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD", ""},
		{"MINIO_ACCESS_KEY", "MINIO_SECRET_KEY", ""},
	}
}

// s3Keys finds the keys of a server: in the environment that it was given, else
// in the shared credentials file. It looks when a request needs them, and again
// when they have expired.
type s3Keys struct {
	environ []string
	file    credentials.FileAWSCredentials
	fixed   bool
}

var _ credentials.Provider = (*s3Keys)(nil)

// newS3Keys returns what finds the keys in an environment. File and profile are
// named, or the library would ask the environment of the process.
func newS3Keys(environ []string) *s3Keys {
	k := &s3Keys{environ: environ}
	home := cmp.Or(k.variable("HOME"), k.variable("USERPROFILE"))
	k.file.Filename = cmp.Or(k.variable("AWS_SHARED_CREDENTIALS_FILE"), filepath.Join(home, ".aws", "credentials"))
	k.file.Profile = cmp.Or(k.variable("AWS_PROFILE"), "default")
	return k
}

// variable returns the value of a variable, "" when it is not set.
func (k *s3Keys) variable(name string) string {
	for _, entry := range k.environ {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// RetrieveWithCredContext implements credentials.Provider.
func (k *s3Keys) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	for _, names := range keyVariables() {
		id, secret := k.variable(names[0]), k.variable(names[1])
		if id != "" && secret != "" {
			k.fixed = true
			return credentials.Value{
				AccessKeyID: id, SecretAccessKey: secret, SessionToken: k.variable(names[2]),
				SignerType: credentials.SignatureV4,
			}, nil
		}
	}
	value, err := k.file.RetrieveWithCredContext(cc)
	if err != nil || value.AccessKeyID == "" || value.SecretAccessKey == "" {
		// What the library says may quote lines of the file.
		return credentials.Value{}, &noKeysError{profile: k.file.Profile, file: k.file.Filename}
	}
	return value, nil
}

// Retrieve implements credentials.Provider.
func (k *s3Keys) Retrieve() (credentials.Value, error) { return k.RetrieveWithCredContext(nil) }

// IsExpired implements credentials.Provider.
func (k *s3Keys) IsExpired() bool { return !k.fixed && k.file.IsExpired() }

// noKeysError is the error of requests for which there are no keys.
type noKeysError struct{ profile, file string }

// Error implements error.
func (e *noKeysError) Error() string {
	return fmt.Sprintf("there are no keys for it, neither in the environment nor as profile %q in %q",
		e.profile, e.file)
}
