package cli

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/refitproject/refit/internal/service"
)

// offersNothing lists every argument and flag for which the shell offers nothing,
// and why. "refit version" is about its arguments, "refit plan --by" about a flag.
func offersNothing() map[string]string {
	const (
		words  = "words of a person"
		number = "a number of one's own"
		day    = "a day of one's own"
		read   = "what somebody has read: offering it would approve what nobody has seen"
		none   = "it takes no arguments"
	)
	return map[string]string{
		"refit --width": number, "refit accept --expires": day, "refit accept --reason": words, "refit abort --reason": words,
		"refit apply --by": words, "refit apply --expires": day, "refit apply --reason": words, "refit apply --digest": read,
		"refit apply --parallel": number, "refit apply --run": words, "refit approve --digest": read, "refit approve --reason": words,
		"refit backup list": none, "refit backup prune": none, "refit backup prune --keep": number, "refit backup prune --within": number,
		"refit cancel --reason": words, "refit check --by": words, "refit check --expires": day, "refit check --reason": words,
		"refit done --reason": words, "refit import --name": words, "refit init --name": words, "refit init --description": words, "refit init --window": words,
		"refit issues search": words, "refit pause --reason": words, "refit plan --by": words, "refit plan --expires": day,
		"refit plan --reason": words, "refit procedures paths --limit": number, "refit reject --reason": words,
		"refit release --reason": words, "refit replan --by": words, "refit replan --expires": day, "refit replan --reason": words,
		"refit replan --digest": read, "refit report --head": "what somebody has written down: offering it would prove nothing",
		"refit resume --reason": words, "refit retry --reason": words, "refit rollback --reason": words,
		"refit detect": none, "refit runs": none, "refit runs list": none, "refit runs set-aside --reason": words, "refit settle --reason": words,
		"refit settle --output": words, "refit version": none, "refit watch --last": number,
	}
}

// TestCompletes walks the commands: every argument and every flag that takes a value
// completes it, or stands in the list of those for which there is nothing to offer.
func TestCompletes(t *testing.T) {
	t.Parallel()
	isNothing := func(f completer) bool { return reflect.ValueOf(f).Pointer() == reflect.ValueOf(nothing).Pointer() }
	got := map[string]bool{}
	root := testRoot()
	note := func(path string, f completer) {
		if isNothing(f) {
			got[path] = true
		}
	}
	flagsOf := func(cmd *cobra.Command, flags *pflag.FlagSet) {
		flags.VisitAll(func(f *pflag.Flag) {
			path := cmd.CommandPath() + " --" + f.Name
			if f.Value.Type() == "bool" {
				return
			}
			completes, ok := cmd.GetFlagCompletionFunc(f.Name)
			if !ok {
				t.Errorf("%s does not complete its values: give it a completer, or nothing and a reason in this test", path)
				return
			}
			note(path, completes)
		})
	}
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		flagsOf(cmd, cmd.PersistentFlags())
		flagsOf(cmd, cmd.LocalNonPersistentFlags())
		switch {
		case cmd.ValidArgsFunction != nil:
			note(cmd.CommandPath(), cmd.ValidArgsFunction)
		case cmd.Runnable() && !cmd.HasSubCommands():
			t.Errorf("%s does not complete its arguments: give it a completer, or nothing and a reason in this test", cmd.CommandPath())
		}
		for _, sub := range cmd.Commands() {
			if sub.Runnable() || sub.HasSubCommands() {
				visit(sub)
			}
		}
	}
	visit(root)
	want := map[string]bool{}
	for path, why := range offersNothing() {
		if strings.TrimSpace(why) == "" {
			t.Errorf("%s has no reason", path)
		}
		want[path] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("for these nothing is offered (-listed +are so):\n%s", diff)
	}
}

// TestOffersAreLines writes texts so that the shell reads one offer a line.
func TestOffersAreLines(t *testing.T) {
	t.Parallel()
	got := lined([]service.Offer{{Value: "a", Text: "one\n\ttwo  three"}, {Value: "b"}})
	if diff := cmp.Diff([]string{"a\tone two three", "b"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
