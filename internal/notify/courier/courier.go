package courier

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/refitproject/refit/internal/filelock"
	"github.com/refitproject/refit/internal/notify"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/report"
	"github.com/refitproject/refit/internal/wait"
)

// Pace says how fast things go.
type Pace struct {
	// Look is the least time between two looks at the run.
	Look time.Duration
	// Try is how long one message may take, First and Most are the pauses after
	// the first failure and after many, Gap is the least between two messages.
	Try, First, Most, Gap time.Duration
}

// DefaultPace is the pace for people.
func DefaultPace() Pace {
	return Pace{
		Look: 500 * time.Millisecond, Try: 15 * time.Second, First: time.Second, Most: time.Minute,
		Gap: time.Second,
	}
}

// Options are what a Courier is built from. All fields but Fresh are required.
type Options struct {
	// Dir is the folder of the records; it is made at first need.
	Dir, Run string
	Channels []plan.Channel
	// Look returns where the run stands.
	Look func(ctx context.Context) (*report.RunView, error)
	// Deliver sends a message over a channel. Its error holds no address.
	Deliver func(ctx context.Context, c plan.Channel, m notify.Message) error
	// Say is told in one line when a channel fails, and when it is reached again.
	Say  func(line string)
	Now  func() time.Time
	Pace Pace
	// Fresh tells that the run has just begun: without it, and without a record,
	// what has happened so far counts as told.
	Fresh bool
}

// Courier tells people of one run. It is safe for concurrent use.
type Courier struct {
	o      Options
	lock   *filelock.Lock
	cancel context.CancelFunc
	wake   chan struct{}
	all    sync.WaitGroup
	posts  []*post

	// looking keeps an older look from coming behind a newer one.
	looking sync.Mutex
	mu      sync.Mutex
	record  *Told
	// broken tells that the record cannot be written, so that it is said once.
	broken bool
	known  bool
}

// Start begins to tell people of a run; nil when another process does. Close
// ends it.
func Start(ctx context.Context, o Options) (*Courier, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of notifications: %w", err)
	}
	f, err := filelock.Try(filepath.Join(o.Dir, o.Run+".lock"))
	if err != nil || f == nil {
		return nil, err
	}
	j, err := ReadTold(o.Dir, o.Run)
	if err != nil {
		_ = f.Close() // Nothing was written.
		return nil, err
	}
	c := &Courier{o: o, lock: f, wake: make(chan struct{}, 1), record: j, known: j != nil || o.Fresh}
	if j == nil {
		c.record = &Told{Version: toldVersion, Channels: map[string]*ChannelState{}}
	}
	for i := range o.Channels {
		ch := o.Channels[i]
		if c.record.Channels[ch.Name] == nil {
			c.record.Channels[ch.Name] = &ChannelState{}
		}
		p := &post{c: c, channel: ch, state: c.record.Channels[ch.Name], wake: make(chan struct{}, 1)}
		p.title, p.text = compile(ch.Title), compile(ch.Text)
		c.posts = append(c.posts, p)
	}
	ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	c.all.Go(func() { c.look(ctx) })
	for _, p := range c.posts {
		c.all.Go(func() { p.work(ctx) })
	}
	c.Wake()
	return c, nil
}

// Wake tells that something has happened. It returns at once.
func (c *Courier) Wake() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Close looks once more, gives what is left to tell so much time, less when ctx
// has ended, and ends.
func (c *Courier) Close(ctx context.Context, patience time.Duration) {
	if ctx.Err() != nil {
		const hurried = 300 * time.Millisecond
		patience = min(patience, hurried)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	c.once(ctx)
	for _, p := range c.posts {
		p.drain(ctx)
	}
	c.cancel()
	c.all.Wait()
	for _, p := range c.posts {
		if n := p.waiting(); n > 0 {
			c.o.Say(fmt.Sprintf("notifications: channel %q: %d not delivered: the next refit drive tries again",
				p.channel.Name, n))
		}
	}
	_ = c.lock.Close() // Closing gives the lock back.
}

// look looks at the run when something has happened, never for long: a look may
// take a twentieth of the time.
func (c *Courier) look(ctx context.Context) {
	const share = 20
	for {
		select {
		case <-c.wake:
		case <-ctx.Done():
			return
		}
		from := c.o.Now()
		c.once(ctx)
		pause := max(c.o.Pace.Look, share*c.o.Now().Sub(from))
		if wait.For(ctx, pause) != nil {
			return
		}
	}
}

// once looks and hands the channels what is true. A look that fails changes
// nothing.
func (c *Courier) once(ctx context.Context) {
	c.looking.Lock()
	defer c.looking.Unlock()
	v, err := c.o.Look(ctx)
	if err != nil || v == nil {
		return
	}
	notices := report.BuildNotices(v)
	c.mu.Lock()
	for _, p := range c.posts {
		p.take(notices, c.known)
	}
	c.known = true
	c.save()
	c.mu.Unlock()
	for _, p := range c.posts {
		p.nudge()
	}
}

// save writes the record; c.mu is held. Without it messages may be repeated,
// which does less harm than silence.
func (c *Courier) save() {
	err := c.record.write(c.o.Dir, c.o.Run)
	if err != nil && !c.broken {
		c.o.Say("notifications: " + err.Error() + ": messages may be repeated")
	}
	c.broken = err != nil
}

// isOld tells whether nobody wants to hear of something any more.
func isOld(n *report.Notice, now time.Time) bool {
	const fleeting, most = 24 * time.Hour, 7 * 24 * time.Hour
	age := now.Sub(n.At)
	passing := []report.NoticeEvent{report.NoticeStarted, report.NoticeStageDone}
	return age > most || age > fleeting && slices.Contains(passing, n.Event)
}
