package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/refitproject/refit/internal/plan"
	"github.com/refitproject/refit/internal/probe"
)

// Programs starts the programs of probes; its error tells that one did not end
// with 0, or could not be started.
type Programs interface {
	Output(ctx context.Context, dir string, args []string, limit int) (string, error)
}

// PlansOf returns the probes of a plan with their timing.
func PlansOf(p *plan.Plan) []probe.Plan {
	const every, timeout = time.Second, 5 * time.Second // As the language has it.
	out := make([]probe.Plan, 0, len(p.Probes))
	for i := range p.Probes {
		t := &p.Probes[i]
		out = append(out, probe.Plan{
			Name: t.Name, Component: t.Component,
			Every: duration(t.Config["every"], every), Timeout: duration(t.Config["timeout"], timeout),
		})
	}
	return out
}

func duration(v any, usual time.Duration) time.Duration {
	text, _ := v.(string)
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return usual
	}
	return d
}

// sampler takes samples of one probe.
type sampler struct {
	probe    plan.Probe
	client   *http.Client
	programs Programs
	dir      string
}

// mostOutput is how much of an answer is read.
const mostOutput = 64 << 10

// sample tells why the component is down; nil when it is up.
func (s *sampler) sample(ctx context.Context) error {
	switch s.probe.Kind {
	case "http":
		return s.http(ctx)
	case "tcp":
		address, _ := s.probe.Config["address"].(string)
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return plain(err)
		}
		_ = conn.Close() // That it was there is all that counts.
		return nil
	case "exec":
		return s.exec(ctx)
	}
	return fmt.Errorf("there is no kind of probe %q", s.probe.Kind)
}

func (s *sampler) http(ctx context.Context) error {
	url, _ := s.probe.Config["url"].(string)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return errors.New("its address cannot be asked")
	}
	req.Header.Set("User-Agent", "refit-probe")
	client := *s.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		return plain(err)
	}
	defer func() { _ = resp.Body.Close() }()           // It was only read from.
	_, _ = io.CopyN(io.Discard, resp.Body, mostOutput) // So that the connection is used again.
	codes, _ := s.probe.Config["status"].([]any)
	good := resp.StatusCode >= 200 && resp.StatusCode <= 399
	if len(codes) > 0 {
		good = slices.ContainsFunc(codes, func(c any) bool { return fmt.Sprint(c) == fmt.Sprint(resp.StatusCode) })
	}
	if !good {
		return fmt.Errorf("it answered with status %d", resp.StatusCode)
	}
	return nil
}

func (s *sampler) exec(ctx context.Context) error {
	list, _ := s.probe.Config["command"].([]any)
	var args []string
	for _, arg := range list {
		text, _ := arg.(string)
		args = append(args, text)
	}
	if len(args) == 0 {
		return errors.New("it has no command")
	}
	_, err := s.programs.Output(ctx, s.dir, args, mostOutput)
	if err != nil && ctx.Err() != nil {
		return errors.New("the program did not end in time")
	}
	return err
}

// plain words an error without addresses, whose queries may hold secrets.
func plain(err error) error {
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return errors.New("it did not answer in time")
	}
	if failed, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("it cannot be reached: %w", failed.Err)
	}
	if errors.Is(err, io.EOF) {
		return errors.New("it closed the connection")
	}
	return errors.New("it cannot be reached")
}
