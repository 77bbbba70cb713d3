package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/refitproject/refit/internal/diag"
)

// choice is a flag with a fixed set of values. A wrong one is refused with the
// nearest of them.
type choice struct {
	value   string
	allowed []string
	// texts say what the values are, in their order; nil when they say it
	// themselves.
	texts []string
}

var _ pflag.Value = (*choice)(nil)

// Set implements pflag.Value.
func (c *choice) Set(s string) error {
	if !slices.Contains(c.allowed, s) {
		return fmt.Errorf("%q is not among %s%s", s, strings.Join(c.allowed, ", "), didYouMean(s, c.allowed))
	}
	c.value = s
	return nil
}

// String implements pflag.Value.
func (c *choice) String() string { return c.value }

// Type implements pflag.Value: it is the placeholder in the help.
func (c *choice) Type() string { return strings.Join(c.allowed, "|") }

// complete offers the values to the shell.
func (c *choice) complete(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	out := slices.Clone(c.allowed)
	for i := range min(len(out), len(c.texts)) {
		out[i] += "\t" + c.texts[i]
	}
	return out, inOrder
}

// didYouMean returns ": did you mean …?" when one of the candidates is near,
// else "".
func didYouMean(got string, candidates []string) string {
	near := diag.Nearest(got, candidates)
	if near == "" {
		// Two letters in the wrong order are the most common slip in short words.
		near = swapped(got, candidates)
	}
	if near == "" {
		return ""
	}
	return fmt.Sprintf(": did you mean %q?", near)
}

// swapped returns the candidate that got becomes when two neighbouring letters
// change places, "" for none.
func swapped(got string, candidates []string) string {
	for i := 1; i < len(got); i++ {
		word := []byte(got)
		word[i-1], word[i] = word[i], word[i-1]
		if slices.Contains(candidates, string(word)) {
			return string(word)
		}
	}
	return ""
}
