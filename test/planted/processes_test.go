package planted

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// worldVariable marks every process of a world; all inherit it.
const worldVariable = "REFIT_PLANTED"

// watcher looks at the processes of a world again and again.
type watcher struct {
	w      *world
	stop   chan struct{}
	done   sync.WaitGroup
	places map[string]place
	leaks  map[string]bool
	// seen counts processes: programs that carry secrets because their step says
	// so, and those that must not.
	carriers, others map[string]bool
}

func (w *world) watch() *watcher {
	v := &watcher{
		w: w, stop: make(chan struct{}), places: map[string]place{}, leaks: map[string]bool{},
		carriers: map[string]bool{}, others: map[string]bool{},
	}
	v.done.Go(func() {
		tick := time.NewTicker(25 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-v.stop:
				return
			case <-tick.C:
				v.look()
			}
		}
	})
	return v
}

func (v *watcher) end() {
	close(v.stop)
	v.done.Wait()
}

// look samples every process of the world.
func (v *watcher) look() {
	files, _ := filepath.Glob("/proc/[0-9]*/environ") // the pattern is right
	for _, file := range files {
		folder := filepath.Dir(file)
		exe, _ := os.Readlink(filepath.Join(folder, "exe")) // compared below
		environ, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(environ, []byte(worldVariable+"="+v.w.marker)) {
			continue
		}
		cmdline, err := os.ReadFile(filepath.Join(folder, "cmdline"))
		if err != nil || len(cmdline) == 0 {
			continue
		}
		// A process that became another program, or ended, between the looks is judged
		// by its next sample: what was read may belong to either program.
		if again, err := os.Readlink(filepath.Join(folder, "exe")); err != nil || again != exe {
			continue
		}
		v.judge(exe == v.w.bin, string(bytes.ReplaceAll(cmdline, []byte{0}, []byte(" "))), cmdline, environ)
	}
}

// judge looks at one process. The program itself has the environment that a person
// gave it; a program that a step starts has what the step says in secretEnv.
func (v *watcher) judge(isRefit bool, name string, cmdline, environ []byte) {
	for _, p := range v.w.secrets {
		if found := p.in(cmdline); found != "" {
			v.leaks["the arguments of "+name+" hold the secret "+p.name] = true
		}
	}
	// The program of a reference by command gets all of the environment too.
	if isRefit || strings.Contains(name, "from-command") {
		return
	}
	carries := map[string]bool{}
	var entries []string
	for entry := range strings.SplitSeq(string(environ), "\x00") {
		entries = append(entries, entry)
		if list, ok := strings.CutPrefix(entry, "CARRIES="); ok {
			for variable := range strings.SplitSeq(list, ",") {
				carries[variable] = true
			}
		}
	}
	if len(carries) > 0 {
		v.carriers[name] = true
	} else {
		v.others[name] = true
	}
	for _, entry := range entries {
		variable, _, _ := strings.Cut(entry, "=")
		if carries[variable] {
			continue
		}
		for _, p := range v.w.secrets {
			if p.in([]byte(entry)) != "" {
				v.leaks["the environment of "+name+" holds the secret "+p.name+" in "+variable] = true
			}
		}
	}
}
