package enginetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/run"
)

// story tells a history in one line per event, for messages of tests.
func (b *bench) story(id string) string {
	b.t.Helper()
	var text strings.Builder
	for _, r := range b.history(id) {
		data, err := run.EncodeEvent(r.Event)
		if err != nil {
			b.t.Fatal(err)
		}
		fmt.Fprintf(&text, "%s\n", data)
	}
	fmt.Fprintf(&text, "effects: %s\n", strings.Join(b.world.Order(), ", "))
	return text.String()
}

// inOrder fails unless the effects happened in this order; others may have
// happened between them.
func (b *bench) inOrder(id string, effects ...string) {
	b.t.Helper()
	last := -1
	order := b.world.Order()
	for _, effect := range effects {
		at := slices.Index(order, effect)
		if at <= last {
			b.t.Fatalf("%q is not behind what it needs in %q\n%s", effect, order, b.story(id))
		}
		last = at
	}
}

// once fails unless exactly these effects happened, each once.
func (b *bench) once(id string, effects ...string) {
	b.t.Helper()
	got := b.world.Order()
	slices.Sort(got)
	want := slices.Sorted(slices.Values(effects))
	if !slices.Equal(got, want) {
		b.t.Fatalf("the effects are %q, want %q\n%s", got, want, b.story(id))
	}
	if _, overlaps := b.world.AtOnce(); overlaps > 0 {
		b.t.Fatalf("%d times two attempts of one step were under way at once", overlaps)
	}
}
