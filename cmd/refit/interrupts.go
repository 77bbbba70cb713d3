package main

import (
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/refitproject/refit/internal/ui/cli"
)

// interrupts are the signals that ask a program to end: an interrupt, a
// termination, the end of the terminal.
type interrupts struct {
	// cancel ends everything in order, kill at once.
	cancel, kill func()

	mu         sync.Mutex
	soft, last func()
}

// soften lets the first interrupt call soft, once, instead of cancelling, and the
// one that ends the program call last before. The function that it returns ends that.
func (i *interrupts) soften(soft, last func()) (release func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	// What reads the output may end before the run does: that is an error of the
	// writing then, not the end of the program in the middle of a step.
	signal.Ignore(syscall.SIGPIPE)
	i.soft, i.last = soft, last
	return func() {
		_ = i.take()
		_ = i.takeLast()
	}
}

// take returns the soft end, and nil from then on.
func (i *interrupts) take() func() {
	i.mu.Lock()
	defer i.mu.Unlock()
	soft := i.soft
	i.soft = nil
	return soft
}

// takeLast returns what is to be done before the program ends at once, and nil from
// then on.
func (i *interrupts) takeLast() func() {
	i.mu.Lock()
	defer i.mu.Unlock()
	last := i.last
	i.last = nil
	return last
}

// typed returns what takes an interrupt that was typed, as though it were a signal.
func typed(signals chan<- os.Signal) func() {
	return func() {
		select {
		case signals <- os.Interrupt:
		default: // So many are waiting already that the program ends.
		}
	}
}

// listen begins to take the signals. It is called before anything is started: a
// signal that nobody takes ends the program at once and leaves what it has started
// running.
func (i *interrupts) listen() chan os.Signal {
	const most = 2
	signals := make(chan os.Signal, most)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	// nohup ignores the end of the terminal, which has to stay so.
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(signals, syscall.SIGHUP)
	}
	return signals
}

// wait carries out what the signals ask for. While a run is driven the first
// interrupt lets what is under way go on to its end. The next signal cancels, so
// that everything ends in order. With the one after that everything that was
// started is killed and the program exits at once.
func (i *interrupts) wait(signals <-chan os.Signal) {
	if s := <-signals; s == os.Interrupt {
		if soft := i.take(); soft != nil {
			soft()
			<-signals
		}
	}
	i.cancel()
	<-signals
	i.kill()
	if last := i.takeLast(); last != nil {
		last()
	}
	os.Exit(int(cli.ExitError))
}
