// Command effect is what the steps of the crash test start. Each effect is a line
// that it appends to a ledger and syncs: the effect itself is what is recorded, and
// doing it twice is seen. It knows nothing of Refit.
//
//	effect do LEDGER NAME [PAUSE [FAILBEFORE [FAILAFTER]]]
//	effect look LEDGER NAME
//	effect undo LEDGER NAME [PAUSE]
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Exit codes. unchanged says that nothing was done.
const (
	done       = 0
	notDone    = 1
	unchanged  = 3
	broken     = 4
	wrongUsage = 64
)

func main() {
	const least = 4
	if len(os.Args) < least {
		_, _ = fmt.Fprintln(os.Stderr, "effect do|look|undo LEDGER NAME [PAUSE [FAILBEFORE [FAILAFTER]]]")
		os.Exit(wrongUsage)
	}
	code, err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[least:])
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "effect:", err)
		os.Exit(wrongUsage)
	}
	os.Exit(code)
}

func run(verb, ledger, name string, args []string) (int, error) {
	numbers := make([]int, 3) //nolint:mnd // pause, failures before and failures after the effect
	for i, text := range args {
		n, err := strconv.Atoi(text)
		if err != nil || i >= len(numbers) {
			return 0, fmt.Errorf("argument %q is not a number", text)
		}
		numbers[i] = n
	}
	switch verb {
	case "do":
		return do(ledger, name, numbers[0], numbers[1], numbers[2])
	case "look":
		found, err := read(ledger, name)
		if err != nil || found.balance() == 0 {
			return notDone, err
		}
		return done, nil
	case "undo":
		return undo(ledger, name, numbers[0])
	default:
		return 0, fmt.Errorf("there is no verb %q", verb)
	}
}

// do carries the effect out: a file, and a line of the ledger. The first attempts
// may fail before the effect, with nothing done, or after it.
func do(ledger, name string, pause, failBefore, failAfter int) (int, error) {
	found, err := read(ledger, name)
	if err != nil {
		return 0, err
	}
	if err := write(ledger, "begin", name); err != nil {
		return 0, err
	}
	wait(pause)
	if found.begun < failBefore {
		return unchanged, write(ledger, "end", name)
	}
	file := filepath.Join(filepath.Dir(ledger), "made", name)
	if err := os.WriteFile(file+".new", []byte(name), 0o600); err != nil {
		return 0, err
	}
	if err := os.Rename(file+".new", file); err != nil {
		return 0, err
	}
	wait(pause)
	if err := write(ledger, "effect", name); err != nil {
		return 0, err
	}
	wait(pause)
	if err := write(ledger, "end", name); err != nil {
		return 0, err
	}
	if found.begun < failAfter {
		return broken, nil
	}
	return done, nil
}

// undo takes the effect back; it succeeds when there is nothing to take back.
func undo(ledger, name string, pause int) (int, error) {
	if err := write(ledger, "begin", name); err != nil {
		return 0, err
	}
	wait(pause)
	found, err := read(ledger, name)
	if err != nil {
		return 0, err
	}
	if found.balance() > 0 {
		if err := os.Remove(filepath.Join(filepath.Dir(ledger), "made", name)); err != nil &&
			!errors.Is(err, os.ErrNotExist) {
			return 0, err
		}
		if err := write(ledger, "back", name); err != nil {
			return 0, err
		}
	}
	wait(pause)
	return done, write(ledger, "end", name)
}

func wait(milliseconds int) { time.Sleep(time.Duration(milliseconds) * time.Millisecond) }

// write appends a line and syncs it. A line is one write, so that lines of several
// programs do not mix.
func write(ledger, what, name string) error {
	f, err := os.OpenFile(filepath.Clean(ledger), os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s %s %d\n", what, name, os.Getpid())
	return errors.Join(err, f.Sync(), f.Close())
}

// tally counts the lines about a name.
type tally struct{ begun, effects, back int }

func (t tally) balance() int { return t.effects - t.back }

func read(ledger, name string) (tally, error) {
	data, err := os.ReadFile(filepath.Clean(ledger))
	if err != nil {
		return tally{}, err
	}
	var t tally
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[1] != name {
			continue
		}
		switch fields[0] {
		case "begin":
			t.begun++
		case "effect":
			t.effects++
		case "back":
			t.back++
		}
	}
	return t, nil
}
