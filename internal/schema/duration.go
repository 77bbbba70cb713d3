package schema

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// DurationPattern is the regular expression (RE2, anchored) of what
// ParseDuration reads.
const DurationPattern = `^([0-9]+d|([0-9]+d)?(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$`

// ParseDuration reads a duration as people write it: what time.ParseDuration
// reads without a sign, after an optional number of days of 24 hours: "90s",
// "1h30m", "7d", "1d12h". The error is one line and gives an example.
func ParseDuration(text string) (time.Duration, error) {
	const day = 24 * time.Hour
	rest := text
	var days time.Duration
	if number, after, found := strings.Cut(text, "d"); found {
		n, err := strconv.ParseUint(number, 10, 63)
		if err != nil || n > uint64(math.MaxInt64/day) {
			return 0, durationError(text)
		}
		days, rest = time.Duration(n)*day, after
		if rest == "" {
			return days, nil
		}
	}
	if rest == "" || !strings.ContainsAny(rest[:1], ".0123456789") || !strings.ContainsAny(rest, "smh") {
		return 0, durationError(text)
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d > math.MaxInt64-days {
		return 0, durationError(text)
	}
	return days + d, nil
}

func durationError(text string) error {
	return fmt.Errorf("%s is not a duration; write a number with a unit, such as 90s, 20m, 1h30m or 7d", quote(text))
}
