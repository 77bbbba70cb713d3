// Package proc tells processes apart from others that later get the same number.
// It reads /proc and changes nothing.
package proc

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Identity names one process for ever: a number is given again, the number
// together with the start is not.
type Identity struct {
	PID int `json:"pid"`
	// Start is in clock ticks since the boot.
	Start uint64 `json:"start"`
	// Boot is the kernel's name of this boot.
	Boot string `json:"boot"`
}

// Self returns the identity of this process as the /proc that is mounted sees
// it. A process in a pid namespace of its own sees its number outside for as
// long as it has not mounted a /proc of its own.
func Self() (Identity, error) {
	link, err := os.Readlink("/proc/self")
	if err != nil {
		return Identity{}, fmt.Errorf("read own process: %w", err)
	}
	pid, err := strconv.Atoi(link)
	if err != nil {
		return Identity{}, fmt.Errorf("read own process: %w", err)
	}
	return Of(pid)
}

// Of returns the identity of a process.
func Of(pid int) (Identity, error) {
	stat, err := readStat(pid)
	if err != nil {
		return Identity{}, err
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return Identity{}, fmt.Errorf("read the name of this boot: %w", err)
	}
	return Identity{PID: pid, Start: stat.start, Boot: strings.TrimSpace(string(boot))}, nil
}

// Alive tells whether this very process still runs; one that has ended and was
// not yet collected does not.
func (i Identity) Alive() bool {
	if i.PID <= 0 {
		return false
	}
	now, err := Of(i.PID)
	if err != nil || now != i {
		return false
	}
	stat, err := readStat(i.PID)
	return err == nil && stat.state != 'Z' && stat.state != 'X'
}

// stat is what is used of /proc/PID/stat.
type stat struct {
	state byte
	start uint64
}

func readStat(pid int) (stat, error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return stat{}, fmt.Errorf("read process %d: %w", pid, err)
	}
	// The name stands in parentheses and may hold any character.
	after := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(after) < 20 {
		return stat{}, fmt.Errorf("read process %d: its stat has %d fields", pid, len(after))
	}
	start, err := strconv.ParseUint(string(after[19]), 10, 64)
	if err != nil {
		return stat{}, fmt.Errorf("read process %d: %w", pid, err)
	}
	return stat{state: after[0][0], start: start}, nil
}

// Member is a process of a pid namespace, as seen from outside.
type Member struct {
	PID int
	// Inner is its number inside.
	Inner int
	// Memory is the resident memory in bytes that is its own: without files.
	Memory int64
}

// Members returns the processes of the pid namespace that the process init is
// the first of, nested namespaces included.
func Members(init int) ([]Member, error) {
	want, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", init))
	if err != nil {
		return nil, fmt.Errorf("read the namespace of process %d: %w", init, err)
	}
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	depth := len(numbers(init))
	var members []Member
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		inner := numbers(pid)
		if len(inner) < depth {
			continue
		}
		if link, err := os.Readlink(dir + "/ns/pid"); err != nil || (link != want && len(inner) == depth) {
			continue
		}
		members = append(members, Member{PID: pid, Inner: inner[depth-1], Memory: Memory(pid)})
	}
	return members, nil
}

// numbers returns the numbers of a process in its namespaces, outermost first.
func numbers(pid int) []int {
	var all []int
	for field := range strings.FieldsSeq(statusLine(pid, "NSpid:")) {
		n, err := strconv.Atoi(field)
		if err != nil {
			return nil
		}
		all = append(all, n)
	}
	return all
}

// Memory returns the anonymous and shared resident memory of a process in bytes;
// 0 when it has ended.
func Memory(pid int) int64 {
	var sum int64
	for _, name := range []string{"RssAnon:", "RssShmem:"} {
		fields := strings.Fields(statusLine(pid, name))
		if len(fields) == 0 {
			continue
		}
		kib, err := strconv.ParseInt(fields[0], 10, 64)
		if err == nil {
			sum += kib << 10
		}
	}
	return sum
}

func statusLine(pid int, name string) string {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return rest
		}
	}
	return ""
}
