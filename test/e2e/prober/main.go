// Command prober asks addresses again and again, each by itself, and tells at its end how
// long each did not answer. It is a process of its own, so that what it measures does not
// compete with what is measured for anything but the machine.
//
//	prober [-every 50ms] [-token TOKEN] NAME=URL …
//
// It ends with SIGTERM or SIGINT, and then prints one JSON object: by name, the seconds
// without an answer, how many times that was, and how many answers there were.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Result is what became of one address.
type Result struct {
	// Down is how long it did not answer, in seconds: from the first question without an
	// answer to the first one with an answer.
	Down    float64 `json:"down"`
	Outages int     `json:"outages"`
	Answers int     `json:"answers"`
}

func main() {
	every := flag.Duration("every", 50*time.Millisecond, "pause between two questions")
	token := flag.String("token", "", "token of the hub that is sent along")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	results := map[string]*Result{}
	var asking sync.WaitGroup
	for _, arg := range flag.Args() {
		name, url, ok := strings.Cut(arg, "=")
		if !ok || name == "" {
			fmt.Fprintf(os.Stderr, "prober: %q: needs NAME=URL\n", arg)
			os.Exit(2) //nolint:gocritic // nothing was begun that has to be ended
		}
		r := &Result{}
		results[name] = r
		asking.Go(func() { r.ask(ctx, *every, url, *token) })
	}
	if len(results) == 0 {
		fmt.Fprintln(os.Stderr, "prober: give at least one NAME=URL")
		os.Exit(2)
	}
	asking.Wait()
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		fmt.Fprintln(os.Stderr, "prober:", err)
		os.Exit(1)
	}
}

// ask asks until the context ends. Each question has a second, on a connection of its own:
// one that is kept would hide that new ones are refused.
func (r *Result) ask(ctx context.Context, every time.Duration, url, token string) {
	client := &http.Client{
		Timeout:   time.Second,
		Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
	var since time.Time
	end := func(now time.Time) {
		if !since.IsZero() {
			r.Down += now.Sub(since).Seconds()
			since = time.Time{}
		}
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for ctx.Err() == nil {
		began := time.Now()
		switch {
		case answers(ctx, client, url, token):
			r.Answers++
			end(time.Now())
		case ctx.Err() == nil && since.IsZero():
			r.Outages++
			since = began
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	end(time.Now())
}

// answers tells whether an address answers with success.
func answers(ctx context.Context, client *http.Client, url, token string) bool {
	// A question that is under way when the end comes is answered still.
	request, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	if token != "" {
		request.Header.Set("Authorization", "token "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20)) // Only its status counts.
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}
