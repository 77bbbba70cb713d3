package schema_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/refitproject/refit/internal/schema"
)

func TestParseDuration(t *testing.T) {
	t.Parallel()
	pattern := regexp.MustCompile(schema.DurationPattern)
	cases := map[string]time.Duration{
		"90s": 90 * time.Second, "20m": 20 * time.Minute, "1h30m": 90 * time.Minute, "7d": 168 * time.Hour,
		"1d12h": 36 * time.Hour, "250ms": 250 * time.Millisecond, "1.5h": 90 * time.Minute, ".5s": 500 * time.Millisecond,
		"5.s": 5 * time.Second, "0s": 0, "0d": 0, "2us": 2 * time.Microsecond, "2µs": 2 * time.Microsecond,
		"106751d": 106751 * 24 * time.Hour, "2d3ns": 48*time.Hour + 3,
	}
	for text, want := range cases {
		if got, err := schema.ParseDuration(text); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v", text, got, err, want)
		}
		if !pattern.MatchString(text) {
			t.Errorf("the pattern does not match %q", text)
		}
	}
	for _, text := range []string{
		"", "0", "5", "d", "s", "-5m", "+5m", "1h-5m", "7 d", "7d ", " 7d", "1.5d", "-1d", "+1d", "1h2d", "1d1d", "1d5", "soon",
		"5 minutes", "5min", "1w", "1e3s", "1_000s", "1d-2h", "1d+2h", "0x1s", ".s",
	} {
		if got, err := schema.ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", text, got)
		}
		if pattern.MatchString(text) {
			t.Errorf("the pattern matches %q", text)
		}
	}
	for _, text := range []string{"106752d", "106751d24h", "2562048h", "99999999999999999999d"} {
		if got, err := schema.ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error: too long", text, got)
		}
	}
	_, err := schema.ParseDuration("5 minutes")
	want := `"5 minutes" is not a duration; write a number with a unit, such as 90s, 20m, 1h30m or 7d`
	if err == nil || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
}
