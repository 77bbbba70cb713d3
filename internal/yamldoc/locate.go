package yamldoc

import (
	"bytes"
	"strconv"
	"strings"
)

// locate finds the line on which a syntax error starts. The library names the
// start of the surrounding list, the line after the error or no line at all,
// depending on the error. So locate looks for the last line up to which the
// text can be read: the line after it is the one that breaks it, and for a
// quote or bracket that is never closed the one that opens it.
//
// reached is the number of lines that the library had read when it failed.
func locate(data []byte, reached int, err error) int {
	s := &search{data: data, ends: lineEnds(data, reached), budget: 1 << 20}
	// good can be read, bad cannot.
	good, bad := 0, len(s.ends)
	for step := 1; good == 0 && bad > 1 && s.budget > 0; step *= 2 {
		if probe := max(bad-step, 0); s.readable(probe) {
			good = probe
			break
		}
		bad = max(bad-step, 1)
	}
	for bad-good > 1 && s.budget > 0 {
		if middle := (good + bad) / 2; s.readable(middle) {
			good = middle
		} else {
			bad = middle
		}
	}
	if said := libraryLine(err); s.budget <= 0 && said > good && said < bad {
		return said
	}
	return max(bad, 1)
}

// search reads beginnings of data, within a budget of bytes.
type search struct {
	data   []byte
	ends   []int
	budget int
}

// readable tells whether the first lines of the text can be read.
func (s *search) readable(lines int) bool {
	if lines == 0 {
		return true
	}
	beginning := s.data[:s.ends[lines-1]]
	s.budget -= len(beginning)
	_, _, err := readDocuments(bytes.NewReader(beginning))
	return err == nil
}

// lineEnds returns the offsets behind the first lines of data.
func lineEnds(data []byte, lines int) []int {
	ends := make([]int, 0, lines)
	for at := 0; at < len(data) && len(ends) < lines; {
		end := bytes.IndexByte(data[at:], '\n')
		if end < 0 {
			return append(ends, len(data))
		}
		at += end + 1
		ends = append(ends, at)
	}
	return ends
}

// libraryLine returns the line in "yaml: line 3: did not …", 0 when there is
// none.
func libraryLine(err error) int {
	after, found := strings.CutPrefix(err.Error(), "yaml: line ")
	if !found {
		return 0
	}
	number, _, _ := strings.Cut(after, ":")
	line, err := strconv.Atoi(number)
	if err != nil {
		return 0
	}
	return line
}
