package manual_test

import (
	"strings"
	"testing"

	"github.com/refitproject/refit/internal/action/manual"
)

func TestCheckEvidence(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		asked   []string
		entered map[string]string
		want    string
	}{
		"Given":      {[]string{"ticket"}, map[string]string{"ticket": "OPS-1"}, ""},
		"NoneAsked":  {nil, nil, ""},
		"Missing":    {[]string{"ticket", "by"}, map[string]string{"by": "ann"}, `evidence "ticket" is missing: enter ticket=VALUE`},
		"Blank":      {[]string{"ticket"}, map[string]string{"ticket": " "}, `evidence "ticket" is missing: enter ticket=VALUE`},
		"Typo":       {[]string{"ticket", "by"}, map[string]string{"tiket": "x", "by": "ann"}, `evidence "ticket" is missing: enter ticket=VALUE; "tiket" is not asked for: the step asks for ticket, by`},
		"NotAsked":   {nil, map[string]string{"x": "y"}, `evidence "x" is not asked for: the step asks for none`},
		"Lines":      {[]string{"ticket"}, map[string]string{"ticket": "a\nb"}, `evidence "ticket" must be one line of text`},
		"NotText":    {[]string{"ticket"}, map[string]string{"ticket": "a\xff"}, `evidence "ticket" must be one line of text`},
		"Long":       {[]string{"ticket"}, map[string]string{"ticket": strings.Repeat("x", 1025)}, `evidence "ticket" has 1025 bytes, at most 1024 are kept`},
		"LongEnough": {[]string{"ticket"}, map[string]string{"ticket": strings.Repeat("x", 1024)}, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := manual.CheckEvidence(tc.asked, tc.entered)
			if (err == nil) != (tc.want == "") || (err != nil && err.Error() != tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}
