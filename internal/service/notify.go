package service

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/diag"
	"github.com/refitproject/refit/internal/engine"
	"github.com/refitproject/refit/internal/notify"
	"github.com/refitproject/refit/internal/notify/courier"
	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/platform"
	"github.com/refitproject/refit/internal/report"
)

// notifyPatience is how long driving waits at its end for what is not told yet.
const notifyPatience = 3 * time.Second

// notifyDir is the folder that keeps what runs have told; "" when there is no
// place for it.
func (s *Service) notifyDir() string {
	if s.o.StateDir == "" {
		return ""
	}
	return filepath.Join(s.o.StateDir, "notify")
}

// deliver sends a message over a channel of a platform, by an address that secrets
// resolves each time: it may have been mended meanwhile.
func (s *Service) deliver(ctx context.Context, secrets action.Secrets, c plan.Channel, m notify.Message) error {
	if s.o.Sender == nil {
		return errors.New("this program cannot send messages")
	}
	address, err := secrets.Resolve(ctx, c.Address)
	if err != nil {
		return err
	}
	return s.o.Sender.Deliver(ctx, notify.Kind(c.Kind), address, m)
}

// tellOf begins to tell people of a run; nil when there is nobody to tell, or
// another process does. Trouble of its own is said and holds up nothing.
func (s *Service) tellOf(
	ctx context.Context, snap *engine.Snapshot, fresh bool, say func(string),
) *courier.Courier {
	id, channels := snap.Info.ID, snap.State.Plan().Channels
	secrets := s.secrets(snap.Info.Dir, snap.State.Plan().Targets)
	if len(channels) == 0 || s.notifyDir() == "" {
		return nil
	}
	c, err := courier.Start(ctx, courier.Options{
		Dir: s.notifyDir(), Run: id, Channels: channels, Fresh: fresh,
		Look: func(ctx context.Context) (*report.RunView, error) {
			_, v, err := s.view(ctx, id)
			return v, err
		},
		Deliver: func(ctx context.Context, c plan.Channel, m notify.Message) error {
			return s.deliver(ctx, secrets, c, m)
		},
		Say: say, Now: s.o.Now, Pace: courier.DefaultPace(),
	})
	if err != nil {
		say("notifications: " + err.Error())
		return nil
	}
	return c
}

// leftToTell lists runs that have something left to tell and are not driven.
func (s *Service) leftToTell(list []toDrive) []string {
	if s.notifyDir() == "" {
		return nil
	}
	driven := map[string]bool{}
	for _, r := range list {
		driven[r.id] = true
	}
	var out []string
	for _, id := range courier.Left(s.notifyDir()) {
		if !driven[id] {
			out = append(out, id)
		}
	}
	return out
}

// channelViews says which channels of a run have something left to tell.
func (s *Service) channelViews(id string) []report.ChannelView {
	if s.notifyDir() == "" {
		return nil
	}
	told, err := courier.ReadTold(s.notifyDir(), id)
	if err != nil {
		return []report.ChannelView{{Name: "*", Trouble: err.Error()}}
	}
	return courier.Views(told)
}

// targetsNamed returns the targets of a platform file whose procedure was not read.
func targetsNamed(p *platform.Platform) []plan.Target {
	var targets []plan.Target
	for _, t := range p.Targets {
		config, _ := t.Value.Plain().(map[string]any)
		kind, _ := config["kind"].(string)
		targets = append(targets, plan.Target{Name: t.Name, Kind: kind, Config: config})
	}
	return targets
}

// ChannelResult is what came of trying a channel.
type ChannelResult struct {
	Channel string `json:"channel"`
	Kind    string `json:"kind"`
	// Trouble is why the message could not be delivered; empty when it was.
	Trouble string `json:"trouble,omitempty"`
}

// TestChannels sends a message over each channel of a platform file, or over one
// of them, and returns what came of it.
func (s *Service) TestChannels(ctx context.Context, file, name string) ([]ChannelResult, error) {
	l, ds, err := openPlatform(file)
	if err != nil {
		return nil, err
	}
	if ds.HasErrors() {
		return nil, ds
	}
	channels := plan.ChannelsOf(l.platform)
	if len(channels) == 0 {
		return nil, usageErrorf("%q has no notifications", file).
			suggest("add them: see the reference of platform files")
	}
	var out []ChannelResult
	var names []string
	for i := range channels {
		c := &channels[i]
		names = append(names, c.Name)
		if name != "" && name != c.Name {
			continue
		}
		s.o.Progress(Note{Text: "trying channel " + c.Name})
		out = append(out, s.testChannel(ctx, l, c))
	}
	if len(out) > 0 {
		return out, ctx.Err()
	}
	hint := diag.DidYouMean(name, names)
	if hint == "" {
		hint = "it has " + strings.Join(names, ", ")
	}
	return nil, usageErrorf("%q has no channel %q", file, name).suggest("%s", hint)
}

func (s *Service) testChannel(ctx context.Context, l *loaded, c *plan.Channel) ChannelResult {
	ctx, cancel := context.WithTimeout(ctx, courier.DefaultPace().Try)
	defer cancel()
	result := ChannelResult{Channel: c.Name, Kind: c.Kind}
	platform := l.platform.Metadata.Name.Value
	err := s.deliver(ctx, s.secrets(l.dir, targetsNamed(l.platform)), *c, notify.Message{
		ID:    fmt.Sprintf("test/%s/%s/%d", platform, c.Name, s.o.Now().UnixNano()),
		Title: platform + ": a test of channel " + c.Name,
		Text:  "Refit can reach you here. Nothing has happened.",
		Fields: map[string]string{
			"event": "test", "platform": platform, "at": s.o.Now().UTC().Format(time.RFC3339),
		},
	})
	if err != nil {
		result.Trouble = err.Error()
	}
	return result
}
