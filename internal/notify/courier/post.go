package courier

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/refitproject/refit/internal/notify"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/wait"
)

// mostAlone is how many messages are sent one by one; more at once go together.
const mostAlone = 8

// post is one channel of a run. It has one goroutine.
type post struct {
	c           *Courier
	channel     plan.Channel
	title, text *template
	wake        chan struct{}
	// hurry tells that no long pauses are wanted any more.
	hurry atomic.Bool

	// state and open belong to c.mu. open is what is true and was not told.
	state *ChannelState
	open  []report.Notice
}

// take notes what is true now; c.mu is held. What is not true any more is
// forgotten, so that it is told when it comes again. known is false when what has
// happened so far counts as told.
func (p *post) take(notices []report.Notice, known bool) {
	now := p.c.o.Now()
	var told []string
	p.open = p.open[:0:0]
	for i := range notices {
		n := &notices[i]
		if len(p.channel.On) > 0 && !slices.Contains(p.channel.On, string(n.Event)) {
			continue
		}
		over := n.Event == report.NoticeStarted || n.Event == report.NoticeStageDone
		if slices.Contains(p.state.Told, n.Key) || isOld(n, now) || !known && over {
			told = append(told, n.Key)
			continue
		}
		p.open = append(p.open, *n)
	}
	p.state.Told, p.state.Waiting = told, len(p.open)
}

func (p *post) nudge() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// work sends what is open until ctx ends.
func (p *post) work(ctx context.Context) {
	failures := 0
	for {
		select {
		case <-p.wake:
		case <-ctx.Done():
			return
		}
		for {
			batch, repeat := p.next()
			if len(batch) == 0 {
				break
			}
			err := p.send(ctx, batch, repeat)
			p.note(ctx, batch, err)
			pause := p.c.o.Pace.Gap
			if err != nil {
				failures++
				pause = p.pause(failures)
			} else {
				failures = 0
			}
			if p.hurry.Load() {
				pause = min(pause, p.c.o.Pace.First)
			}
			if wait.For(ctx, pause) != nil {
				return
			}
		}
	}
}

// pause is how long to wait after so many failures in a row.
func (p *post) pause(failures int) time.Duration {
	pause := p.c.o.Pace.First
	for range failures - 1 {
		if pause *= 2; pause >= p.c.o.Pace.Most {
			return p.c.o.Pace.Most
		}
	}
	return pause
}

// next returns what is sent next, after the record says so: one, or all when
// they are many. repeat tells that it was being sent when a process ended.
func (p *post) next() (batch []report.Notice, repeat bool) {
	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	if len(p.open) == 0 {
		return nil, false
	}
	batch = p.open[:1:1]
	if len(p.open) > mostAlone {
		batch = slices.Clone(p.open)
	}
	repeat = p.state.Sending == batch[0].Key
	p.state.Sending = batch[0].Key
	p.c.save()
	return batch, repeat
}

// send sends one message about a batch.
func (p *post) send(ctx context.Context, batch []report.Notice, repeat bool) error {
	ctx, cancel := context.WithTimeout(ctx, p.c.o.Pace.Try)
	defer cancel()
	m := p.message(batch)
	m.Repeat = repeat
	return p.c.o.Deliver(ctx, p.channel, m)
}

// note records how sending a batch has ended. A message that was broken off by
// the end of the driving is left for the next one.
func (p *post) note(ctx context.Context, batch []report.Notice, err error) {
	p.c.mu.Lock()
	now := p.c.o.Now().UTC()
	line, s := "", p.state
	switch {
	case err == nil:
		for i := range batch {
			s.Told = append(s.Told, batch[i].Key)
		}
		p.open = slices.DeleteFunc(p.open, func(n report.Notice) bool { return slices.Contains(s.Told, n.Key) })
		if s.Trouble != "" {
			line = fmt.Sprintf("notifications: channel %q is reached again", p.channel.Name)
		}
		s.Sending, s.Trouble, s.Since, s.Tried, s.Waiting = "", "", time.Time{}, time.Time{}, len(p.open)
	case ctx.Err() != nil:
		// It may have arrived: Sending stays, so that the next one says so.
	default:
		if s.Trouble == "" {
			s.Since = now
			line = fmt.Sprintf("notifications: channel %q: %s: the run goes on, and the channel is tried again",
				p.channel.Name, err)
		}
		s.Sending, s.Trouble, s.Tried = "", err.Error(), now
	}
	p.c.save()
	p.c.mu.Unlock()
	if line != "" {
		p.c.o.Say(line)
	}
}

func (p *post) waiting() int {
	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	return len(p.open)
}

// drain waits until all is told or ctx ends.
func (p *post) drain(ctx context.Context) {
	p.hurry.Store(true)
	const look = 10 * time.Millisecond
	for p.waiting() > 0 && wait.For(ctx, look) == nil {
		p.nudge()
	}
}

// message writes the message about a batch.
func (p *post) message(batch []report.Notice) notify.Message {
	n := &batch[0]
	fields := fieldsOf(n)
	if len(batch) > 1 {
		return together(batch, fields)
	}
	title, text := n.Title, usualText(n)
	if t, ok := p.title.eval(fields); ok {
		title = t
	}
	if t, ok := p.text.eval(fields); ok {
		text = t
	}
	return notify.Message{ID: n.Run + "/" + n.Key, Title: title, Text: text, Fields: fields}
}

// fieldsOf returns the members of the variable notice.
func fieldsOf(n *report.Notice) map[string]string {
	return map[string]string{
		"event": string(n.Event), "run": n.Run, "platform": n.Platform, "procedure": n.Procedure, "path": n.Path,
		"status": string(n.Status), "stage": n.Stage, "step": n.Step, "title": n.Title, "text": n.Text,
		"command": n.Command, "at": n.At.UTC().Format(time.RFC3339),
	}
}

// usualText is the text of a message when the platform file has none.
func usualText(n *report.Notice) string {
	lines := []string{}
	if n.Text != "" {
		lines = append(lines, n.Text)
	}
	if n.Command != "" {
		lines = append(lines, "Next: "+n.Command)
	}
	return strings.Join(append(lines, "Run "+n.Run+" of "+n.Procedure+": refit status "+n.Run), "\n")
}

// together writes one message about many notices: a flood tells nobody anything.
func together(batch []report.Notice, fields map[string]string) notify.Message {
	const shown = 20
	n := &batch[0]
	var lines []string
	for i := range batch {
		if i == shown {
			lines = append(lines, fmt.Sprintf("and %d more", len(batch)-shown))
			break
		}
		lines = append(lines, "- "+batch[i].Title)
	}
	lines = append(lines, "refit status "+n.Run)
	last := batch[len(batch)-1].Key
	fields["title"] = fmt.Sprintf("%s: %d messages", n.Platform, len(batch))
	return notify.Message{
		ID: n.Run + "/" + n.Key + "…" + last, Title: fields["title"], Text: strings.Join(lines, "\n"), Fields: fields,
	}
}
