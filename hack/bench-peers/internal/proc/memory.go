package proc

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// MostMemory gives the most memory that a running process ever held, in bytes.
func MostMemory(pid int) (int64, error) {
	path := fmt.Sprintf("/proc/%d/status", pid)
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("read the memory of a process: %w", err)
	}
	return parseMostMemory(path, string(text))
}

func parseMostMemory(path, status string) (int64, error) {
	for line := range strings.Lines(status) {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[0] != "VmHWM:" || fields[2] != "kB" {
			continue
		}
		kib, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read VmHWM of %s: %w", path, err)
		}
		return kib * 1024, nil
	}
	return 0, fmt.Errorf("read %s: it has no line VmHWM", path)
}
