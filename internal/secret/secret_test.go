package secret_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/action/exec"
	"github.com/refitproject/refit/internal/secret"
)

const planted = "correct horse battery staple"

// resolver finds the planted secret in all places, and much that is none.
func resolver(t *testing.T) secret.Resolver {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"token": planted + "\n", "windows": planted + "\r\n", "lines": "a\nb\n\n", "empty": "\n",
		"large": planted + strings.Repeat("x", secret.MaxBytes), "binary": "\xff" + planted, "nul": planted + "\x00",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	environ := []string{"PATH=" + os.Getenv("PATH"), "TOKEN=" + planted, "EMPTY=", "TOKEN2=other"}
	return secret.Resolver{Environ: environ, Programs: exec.NewRunner(environ), Dir: dir}
}

func sh(script string) map[string]any {
	return map[string]any{"command": []any{"sh", "-c", script}}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		ref    map[string]any
		want   string
	}{
		"Env":        {"A variable is taken as it is.", map[string]any{"env": "TOKEN"}, planted},
		"File":       {"The line end of an editor is no part.", map[string]any{"file": "token"}, planted},
		"Windows":    {"Nor is that of other systems.", map[string]any{"file": "windows"}, planted},
		"OneLineEnd": {"Only one line end is removed.", map[string]any{"file": "lines"}, "a\nb\n"},
		"Command":    {"A program runs in the folder of the platform file.", sh("cat token"), planted},
		"Prefix":     {"The prefix stands before the value.", map[string]any{"env": "TOKEN", "prefix": "Bearer "}, "Bearer " + planted},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := resolver(t).Resolve(t.Context(), tc.ref)
			if err != nil || got != tc.want {
				t.Errorf("%s: got %q, %v, want %q", tc.reason, got, err, tc.want)
			}
		})
	}
	t.Run("Absolute", func(t *testing.T) {
		t.Parallel()
		r := resolver(t)
		got, err := r.In("/nowhere").Resolve(t.Context(), map[string]any{"file": filepath.Join(r.Dir, "token")})
		if err != nil || got != planted {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

func TestResolveErrors(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		ref  map[string]any
		want string
	}{
		"Unset":      {map[string]any{"env": "NONE"}, `secret from environment variable "NONE": it is not set: set it where Refit is started`},
		"Empty":      {map[string]any{"env": "EMPTY"}, `secret from environment variable "EMPTY": it is empty`},
		"NoFile":     {map[string]any{"file": "none"}, `secret from file "none": no such file or directory: create it or correct the path`},
		"EmptyFile":  {map[string]any{"file": "empty"}, `secret from file "empty": it is empty`},
		"Folder":     {map[string]any{"file": "."}, `secret from file ".": it is not a regular file: name a file`},
		"Large":      {map[string]any{"file": "large"}, `secret from file "large": it is larger than 65536 bytes`},
		"Binary":     {map[string]any{"file": "binary"}, `secret from file "binary": it is not UTF-8 text`},
		"NUL":        {map[string]any{"file": "nul"}, `secret from file "nul": it holds a NUL character`},
		"Failed":     {sh(`cat token; cat token >&2; exit 3`), `secret from command "sh": it ended with exit code 3: start it by hand to see what it says`},
		"LargePrint": {sh(`cat large token`), `secret from command "sh": it printed more than 65537 bytes: start it by hand to see what it says`},
		"NotText":    {sh(`cat binary`), `secret from command "sh": it printed something that is not UTF-8 text: start it by hand to see what it says`},
		"Nothing":    {sh(`true`), `secret from command "sh": it is empty`},
		"NoProgram":  {map[string]any{"command": []any{"no-such-program", planted}}, `secret from command "no-such-program": program "no-such-program" not found: start it by hand to see what it says`},
		"Kubernetes": {inCluster(""), `secret from key "token" of Kubernetes secret "hub" in namespace "jhub": the platform has no target of kind kubernetes: declare the cluster as a target, or use env, file or command`},
		"Two":        {map[string]any{"env": "TOKEN", "file": "token"}, `secret reference has env and file: a secret comes from one place: keep one of them`},
		"None":       {map[string]any{"prefix": planted}, `secret reference is not a reference to a secret: write {env: NAME}, {file: PATH}, {command: [PROGRAM, …]} or {kubernetes: {namespace: NAMESPACE, name: NAME, key: KEY}}`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			value, err := resolver(t).Resolve(t.Context(), tc.ref)
			failure, ok := errors.AsType[*action.Error](err)
			if !ok || failure.Reason != action.ReasonSecretUnavailable || failure.Effect != action.ExtentNone || value != "" {
				t.Fatalf("got %q, %#v", value, err)
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" || strings.Contains(err.Error(), planted) {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestZeroResolver(t *testing.T) {
	t.Parallel()
	_, err := secret.Resolver{}.Resolve(t.Context(), sh("true"))
	if want := `secret from command "sh": programs cannot be started here: use env or file`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := resolver(t).Resolve(ctx, sh("true")); err == nil || !strings.Contains(err.Error(), "was not started") {
		t.Errorf("a cancelled context: got %v", err)
	}
}

func TestRedactorTail(t *testing.T) {
	t.Parallel()
	r := secret.NewRedactor("hunter2-with-more", "")
	for text, want := range map[string]string{
		"with-more and hunter2-with-more": "*** and ***",
		"hunter2-with-more":               "***",
		"nothing":                         "nothing",
		"":                                "",
	} {
		if got := r.Tail(text); got != want {
			t.Errorf("Tail(%q) is %q, want %q", text, got, want)
		}
	}
}

func TestRedactorHead(t *testing.T) {
	t.Parallel()
	r := secret.NewRedactor("hunter2-with-more", "")
	for text, want := range map[string]string{
		"hunter2-with-more and hunter2-wi": "*** and ***",
		"h":                                "***",
		"hunter2-with-more":                "***",
		"nothing":                          "nothing",
		"":                                 "",
	} {
		if got := r.Head(text); got != want {
			t.Errorf("Head(%q) is %q, want %q", text, got, want)
		}
	}
}

// TestRedactorEncodings has secrets as programs and servers repeat them.
func TestRedactorEncodings(t *testing.T) {
	t.Parallel()
	const s = "hunter2-with+/more"
	r := secret.NewRedactor(s)
	for name, text := range map[string]string{
		"Hex": hex.EncodeToString([]byte(s)), "HexUpper": strings.ToUpper(hex.EncodeToString([]byte("x" + s))),
		"Basic1": base64.StdEncoding.EncodeToString([]byte("u:" + s)), "Basic2": base64.StdEncoding.EncodeToString([]byte("ab:" + s + "x")),
		"Basic3": base64.URLEncoding.EncodeToString([]byte("abc:" + s + "xy")),
	} {
		got := r.Text(text)
		decoded, _ := base64.StdEncoding.DecodeString(got) // as far as it goes
		if !strings.Contains(got, "***") || len(got) > len(text)-2*len(s)/3 || strings.Contains(string(decoded), "hunter") {
			t.Errorf("%s: %q becomes %q", name, text, got)
		}
	}
	if got := secret.NewRedactor("abc").Text("616263 YWJj"); got != "616263 YWJj" {
		t.Errorf("what is shorter than a part is looked for in other forms: %q", got)
	}
}

// TestRedactorProperty writes secrets in all ways that it knows into texts and
// values: none of them is left.
func TestRedactorProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		secrets := rapid.SliceOfN(rapid.StringMatching(`[ -~é\n]{0,3}[!-~é]{6,20}`), 1, 3).Draw(t, "secrets")
		r := secret.NewRedactor(secrets...)
		for _, s := range secrets {
			inJSON, err := json.Marshal(map[string]any{"a": s, s: []any{s}})
			if err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprintf("<%s> <%s> %s <%s>", s, url.QueryEscape(s), inJSON, strings.TrimSpace(s))
			for _, cleaned := range []string{r.Text(text), fmt.Sprint(r.Value(map[string]any{s: []any{text, int64(1), nil}}))} {
				if strings.Contains(cleaned, strings.TrimSpace(s)) || strings.Contains(cleaned, url.QueryEscape(s)) {
					t.Fatalf("the secret %q is left in %q", s, cleaned)
				}
			}
		}
	})
}
