package http

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// checkHeaders refuses headers that cannot be sent. Messages name headers and
// never quote values.
func checkHeaders(headers map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		if name == "" || strings.ContainsFunc(name, notInName) {
			return fmt.Errorf("%q cannot be the name of a header", name)
		}
		if strings.ContainsFunc(headers[name], func(r rune) bool { return (r < ' ' && r != '\t') || r == 0x7f }) {
			return fmt.Errorf("header %q holds a control character", name)
		}
	}
	return nil
}

// notInName tells whether r may not stand in the name of a header (RFC 9110,
// section 5.6.2).
func notInName(r rune) bool {
	isLetter := (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z') || (r >= '0' && r <= '9')
	return !isLetter && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

func setHeaders(req *http.Request, headers map[string]string) {
	for name, value := range headers {
		if http.CanonicalHeaderKey(name) == "Host" {
			req.Host = value
			continue
		}
		req.Header.Set(name, value)
	}
}

// errRedirects is returned when an address redirects too often.
var errRedirects = fmt.Errorf("it redirects more than %d times", maxRedirects)

// errRedirectScheme is returned when an address redirects from https to http
// or to something else.
var errRedirectScheme = errors.New("it redirects from https to an address that is not https")

// redirects returns the rule for following redirects: a few, never from https
// to http, and the headers of the author go to no other host. The address that
// redirected is not told to the next one, because its query may hold a token.
func redirects(headers map[string]string) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return errRedirects
		}
		if via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https" {
			return errRedirectScheme
		}
		req.Header.Del("Referer")
		if req.URL.Host != via[0].URL.Host {
			for name := range headers {
				req.Header.Del(name)
			}
		}
		return nil
	}
}

// openHeaders are headers whose values are no secrets, so that the same words
// in an answer are left alone.
func openHeaders() []string {
	return []string{
		"accept", "accept-language", "cache-control", "content-type", "host", "origin", "pragma",
		"referer", "user-agent",
	}
}

// scrubber replaces the values of the headers that may be secrets, and their
// last words: a token alone, as in "Bearer TOKEN".
func scrubber(headers map[string]string) *strings.Replacer {
	var secrets []string
	for name, value := range headers {
		if slices.Contains(openHeaders(), strings.ToLower(name)) {
			continue
		}
		if words := strings.Fields(value); len(words) > 0 {
			secrets = append(secrets, value, words[len(words)-1])
		}
	}
	// Longer values first: the replacer takes the first that fits.
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, secret := range secrets {
		pairs = append(pairs, secret, "***")
	}
	return strings.NewReplacer(pairs...)
}
