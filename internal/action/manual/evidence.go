package manual

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// maxEvidence is the longest value that a person may enter, in bytes.
const maxEvidence = 1 << 10

// CheckEvidence compares what a person has entered with the names that a step
// asks for, and says everything that is missing or was not asked for. It is
// called before the word of the person is recorded.
func CheckEvidence(asked []string, entered map[string]string) error {
	var errs []string
	for _, name := range asked {
		if strings.TrimSpace(entered[name]) == "" {
			errs = append(errs, fmt.Sprintf("%q is missing: enter %s=VALUE", name, name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(entered)) {
		value := entered[name]
		switch {
		case !slices.Contains(asked, name) && len(asked) == 0:
			errs = append(errs, fmt.Sprintf("%q is not asked for: the step asks for none", name))
		case !slices.Contains(asked, name):
			errs = append(errs, fmt.Sprintf("%q is not asked for: the step asks for %s",
				name, strings.Join(asked, ", ")))
		case len(value) > maxEvidence:
			errs = append(errs, fmt.Sprintf("%q has %d bytes, at most %d are kept", name, len(value), maxEvidence))
		case strings.ContainsFunc(value, notInLine):
			errs = append(errs, fmt.Sprintf("%q must be one line of text", name))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return errors.New("evidence " + strings.Join(errs, "; "))
}

func notInLine(r rune) bool { return unicode.IsControl(r) || r == unicode.ReplacementChar }
