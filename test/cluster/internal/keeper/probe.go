package keeper

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

// probeTimeout is long for a machine that does nothing else and short for one
// that is busy.
const probeTimeout = 5 * time.Second

// check returns a function that asks once whether a component is ready. Keys are
// read once: they do not change while a cluster lives.
func (p Probe) check() (func(context.Context) error, error) {
	if p.Unix != "" {
		return func(ctx context.Context) error {
			conn, err := (&net.Dialer{}).DialContext(ctx, "unix", p.Unix)
			if err != nil {
				return fmt.Errorf("connect: %w", err)
			}
			return conn.Close()
		}, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if p.CA != "" {
		pem, err := os.ReadFile(p.CA)
		if err != nil {
			return nil, fmt.Errorf("read an authority: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		config.RootCAs.AppendCertsFromPEM(pem)
		pair, err := tls.LoadX509KeyPair(p.Cert, p.Key)
		if err != nil {
			return nil, fmt.Errorf("read a certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL, http.NoBody)
		if err != nil {
			return fmt.Errorf("ask %s: %w", p.URL, err)
		}
		response, err := client.Do(request)
		if err != nil {
			return fmt.Errorf("ask: %w", err)
		}
		_ = response.Body.Close() // Only the code counts.
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("ask %s: %s", p.URL, response.Status)
		}
		return nil
	}, nil
}

// watch asks until stop is closed, often until the first yes and seldom after
// it, and reports every change.
func watch(check func(context.Context) error, report func(ready bool), stop <-chan struct{}) {
	const soon, later = 150 * time.Millisecond, 10 * time.Second
	ready, missed := false, 0
	for pause := soon; ; {
		ctx, cancel := context.WithTimeout(context.Background(), probeTimeout)
		err := check(ctx)
		cancel()
		switch {
		case err == nil && !ready:
			ready, pause = true, later
			report(true)
		case err == nil:
			missed = 0
		case ready:
			// One missed answer says that the machine is busy.
			if missed++; missed > 2 {
				ready, pause, missed = false, soon, 0
				report(false)
			}
		}
		select {
		case <-stop:
			return
		case <-time.After(pause):
		}
	}
}
