package http

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/secret"
)

// checkHeaders refuses headers that cannot be sent, and credentials that are
// written out. Messages name headers and never quote values.
func checkHeaders(headers map[string]string, secretHeaders map[string]action.SecretRef) error {
	seen := map[string]bool{}
	for _, name := range slices.Concat(names(headers), names(secretHeaders)) {
		if name == "" || strings.ContainsFunc(name, notInName) {
			return fmt.Errorf("%q cannot be the name of a header", name)
		}
		if lower := strings.ToLower(name); seen[lower] {
			return fmt.Errorf("header %q is given twice", name)
		}
		seen[strings.ToLower(name)] = true
	}
	for _, name := range names(headers) {
		if carriesCredentials(name) {
			return fmt.Errorf("field \"headers\": header %q carries a credential, which would stand in the plan: "+
				"move it to secretHeaders, with a reference such as {env: NAME}", name)
		}
	}
	return checkValues(headers)
}

// checkValues refuses values that would end a header.
func checkValues(headers map[string]string) error {
	for _, name := range names(headers) {
		if strings.ContainsFunc(headers[name], func(r rune) bool { return (r < ' ' && r != '\t') || r == 0x7f }) {
			return fmt.Errorf("header %q holds a control character", name)
		}
	}
	return nil
}

func names[V any](headers map[string]V) []string { return slices.Sorted(maps.Keys(headers)) }

// carriesCredentials tells by the name of a header whether its values are
// secrets as a rule: Authorization, Cookie, X-Api-Key, X-Vault-Token.
func carriesCredentials(name string) bool {
	name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	for word := range strings.SplitSeq(name, "-") {
		switch word {
		case "authorization", "cookie", "token", "secret", "password", "apikey", "credential", "credentials":
			return true
		}
	}
	for _, end := range []string{"api-key", "access-key", "auth-key"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// resolveHeaders returns all headers of the request with their values, and
// what removes those of the secret ones from the answer.
func resolveHeaders(ctx context.Context, env action.Env, q question) (map[string]string, *secret.Redactor, error) {
	env, recorder := secret.Recording(env)
	secrets, err := env.ResolveSecrets(ctx, "secretHeaders", q.secretHeaders)
	if err == nil {
		err = checkValues(secrets)
	}
	if err != nil {
		if _, ok := errors.AsType[*action.Error](err); !ok {
			err = &action.Error{Reason: action.ReasonSecretUnavailable, Effect: action.ExtentNone, Err: err}
		}
		return nil, nil, err
	}
	headers := map[string]string{}
	maps.Copy(headers, q.headers)
	maps.Copy(headers, secrets)
	return headers, recorder.Redactor(), nil
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
