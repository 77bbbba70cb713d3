package local

import (
	"os"
	"strconv"
	"strings"
)

// processStart returns when a process was started, as the kernel counts it, ""
// when it does not run or the system does not say. Together with the number it
// names a process for ever. Source: proc(5), field 22 of /proc/PID/stat.
func processStart(pid int) string {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	// The second field is a name in brackets, which may hold anything.
	text := string(data)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	const state, start = 0, 19 // fields 3 and 22
	if len(fields) <= start || fields[state] == "Z" {
		return ""
	}
	return fields[start]
}
