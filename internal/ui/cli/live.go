package cli

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/service"
	"github.com/refitproject/refit/internal/ui/tui"
)

// How a run is shown while it goes on.
const (
	viewAuto  = "auto"
	viewLive  = "live"
	viewLines = "lines"
)

// addView declares the flag that chooses how a run is shown.
func (c *console) addView(cmd *cobra.Command) {
	c.shown = choice{value: viewAuto, allowed: []string{viewAuto, viewLive, viewLines}}
	cmd.Flags().Var(&c.shown, "view", "`HOW` the run is shown: live (the whole terminal), lines (one for each event) "+
		"or auto (live on a terminal)")
	complete(cmd, "view", c.shown.complete)
}

// lively tells whether a run is shown live. Without a terminal that can do it there
// are lines, unless live was asked for: then that is a mistake.
func (c *console) lively() (bool, error) {
	if c.shown.value == viewLines {
		return false, nil
	}
	_, terminal := c.app.Terminal(c.app.Stdout)
	why := ""
	switch {
	case c.output.value != formatText:
		why = "with -o " + c.output.value + " the result is for programs"
	case !terminal || !c.app.Interactive():
		why = "the standard input and output are no terminal"
	case c.app.Getenv("TERM") == "dumb":
		why = "TERM says that the terminal is dumb"
	case c.verbose:
		why = "--verbose prints lines"
	}
	if why != "" && c.shown.value == viewLive {
		return false, usagef("--view live is not possible: %s", why)
	}
	return why == "", nil
}

// newLive returns the live view of a run. Until it ends, what is said to people
// goes to its feed.
func (c *console) newLive(ctx context.Context, s *service.Service, o tui.Options) *tui.Live {
	o.Reader, o.Decider, o.Now = s, s, s.Now
	o.Text = c.textOptions(c.app.Stdout)
	c.feed = o.Feed
	c.progress.silence(o.Feed.Changed)
	return tui.New(ctx, o, tui.Terminal{In: c.app.Stdin, Out: c.app.Stdout, Environ: os.Environ()})
}

// endLive prints what was said while the screen was shown.
func (c *console) endLive(f *tui.Feed) {
	c.feed = nil
	c.progress.silence(nil)
	for _, line := range f.Said() {
		c.sayf("%s", line)
	}
}

// drivenLive drives one run and shows it live.
func (c *console) drivenLive(ctx context.Context, s *service.Service, id string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := make(chan struct{})
	d := &driving{c: c, stop: stop}
	feed := &tui.Feed{}
	live := c.newLive(ctx, s, tui.Options{
		Run: id, Feed: feed, Drives: true, Interrupt: c.app.Interrupt, Leave: func() { d.leave() },
	})
	release := c.app.Interrupts(func() {
		d.interrupt()
		live.Stopping()
	}, live.GiveBack)
	var results []service.DriveResult
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		// The view lets a person approve, so that the run is not left while it waits.
		results, err = s.Drive(ctx, service.DriveRequest{
			Runs: []string{id}, Linger: -1, Stop: stop, On: feed.Event,
			Say: func(line string) { feed.Say("refit: " + oneLine(line)) },
		})
		live.End()
	}()
	if shown := live.Show(); shown != nil {
		feed.Say("refit: " + oneLine(shown.Error()))
		cancel() // The terminal is gone: as when it hangs up.
	}
	<-done
	release()
	c.endLive(feed)
	if err != nil {
		return err
	}
	out := &lines{c: c, gone: cancel}
	err = d.tell(out, results, ctx.Err() != nil)
	for i := range results {
		if v := results[i].View; v != nil && v.Status.Final() && out.err == nil {
			_ = report.LiveEndText(c.app.Stdout, v, c.textOptions(c.app.Stdout)) // The result was written.
		}
	}
	return err
}

// watchLive shows live a run that another process drives.
func (c *console) watchLive(ctx context.Context, s *service.Service, req service.WatchRequest) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	feed := &tui.Feed{}
	req.Last, req.On = 8, feed.Event
	live := c.newLive(ctx, s, tui.Options{Run: req.Run, Feed: feed})
	var v *report.RunView
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		v, err = s.Watch(ctx, req)
		live.End()
	}()
	shown := live.Show()
	cancel()
	<-done
	c.endLive(feed)
	switch {
	case shown != nil:
		return shown
	case err != nil && (v == nil || !errors.Is(err, context.Canceled)):
		return err
	}
	// Where the run stands now, and not when it was looked at last.
	if v, err = s.Status(context.WithoutCancel(ctx), req.Run); err != nil {
		return err
	}
	return c.show(v, func(w io.Writer, opts report.TextOptions) error { return report.RunStandsText(w, *v, opts) })
}
