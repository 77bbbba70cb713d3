package proc

import "testing"

func TestParseMostMemory(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason, status string
		want           int64
	}{
		"Peak":  {"the peak counts, not what is held now", "Name:\tx\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n", 2 << 20},
		"None":  {"a process that has gone has no memory", "Name:\tx\nState:\tZ (zombie)\n", 0},
		"Other": {"a number that is none", "VmHWM:\t  many kB\n", 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parseMostMemory("status", tc.status)
			if got != tc.want || (err == nil) != (tc.want > 0) {
				t.Errorf("%s: got %d, error %v; want %d", tc.reason, got, err, tc.want)
			}
		})
	}
}
