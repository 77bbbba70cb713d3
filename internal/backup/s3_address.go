package backup

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7/pkg/s3utils"
)

// s3Address is what an address s3://bucket/prefix?endpoint=…&region=… says.
type s3Address struct {
	bucket, prefix string
	// host is that of the server, with its port; secure when TLS is used. It is
	// empty for AWS.
	host   string
	secure bool
	region string
}

// parseS3 reads an address. Only what cannot hold a secret is quoted in errors.
func parseS3(address string, u *url.URL) (s3Address, error) {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return s3Address{}, unquoted("the address of the backup store has a query that is none")
	}
	for _, key := range slices.Sorted(maps.Keys(query)) {
		if key != "endpoint" && key != "region" || len(query[key]) > 1 {
			return s3Address{}, unquoted("the address of the backup store has other options than endpoint and " +
				"region, once each; keys do not belong there, but into the environment")
		}
	}
	a := s3Address{
		bucket: u.Host, prefix: strings.Trim(u.Path, "/"), region: query.Get("region"), secure: true,
	}
	if query.Has("endpoint") {
		if err := a.readEndpoint(query.Get("endpoint")); err != nil {
			return s3Address{}, err
		}
	}
	if u.Fragment != "" {
		return s3Address{}, badAddress(address, "nothing can follow a #")
	}
	if err := s3utils.CheckValidBucketNameStrict(a.bucket); err != nil {
		return s3Address{}, badAddress(address, "after s3:// comes the name of a bucket, lower case letters, digits, "+
			"dots and dashes")
	}
	if a.prefix != "" && !prefixPattern.MatchString(a.prefix) {
		return s3Address{}, badAddress(address, "a prefix is made of letters, digits, dots, dashes, underscores and "+
			"slashes")
	}
	return a, nil
}

// readEndpoint reads the address of a server.
func (a *s3Address) readEndpoint(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return unquoted("the endpoint of the backup store is not http:// or https:// with a host and a port")
	}
	a.host, a.secure = u.Host, u.Scheme == "https"
	return nil
}
