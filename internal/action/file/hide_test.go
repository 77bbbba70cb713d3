package file

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHideSecrets(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ text, want string }{
		"Words": {
			"-  secretToken: abc\n+  \"db-password\": 'x y'\n   - apiKey: z\n   tag: 1\n   tokens:\n",
			"-  secretToken: ***\n+  \"db-password\": ***\n   - apiKey: ***\n   tag: 1\n   tokens:\n",
		},
		"Text":   {"+  private_key: |\n+    line: one\n+\n+    two\n+  tag: 1\n", "+  private_key: ***\n+    line: ***\n+\n+    ***\n+  tag: 1\n"},
		"List":   {" CryptKeeper:\n   keys:\n   - abc\n-  - def\n next: 1\n", " CryptKeeper:\n   keys:\n   - ***\n-  - ***\n next: 1\n"},
		"Quoted": {"   token: \"abc\n     def\"\n   tag: 1\n", "   token: ***\n     ***\n   tag: 1\n"},
		"Header": {"diff a b\n--- a\n+++ b\n@@ -1,4 +1,4 @@\n a: 1\n", "diff a b\n--- a\n+++ b\n@@ -1,4 +1,4 @@\n a: 1\n"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, HideSecrets(tc.text)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
