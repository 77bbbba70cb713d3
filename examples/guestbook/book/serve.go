package book

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// shutdownIn is how long requests that are under way may take when the server ends.
const shutdownIn = 5 * time.Second

// serve serves a folder until the context ends.
func (r Release) serve(ctx context.Context, f folder, log io.Writer) (err error) {
	lock, err := f.lock()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	settings, err := f.settings()
	if err != nil {
		return err
	}
	page, err := template.New("page").Parse(r.Page)
	if err != nil {
		return err
	}
	s := &server{release: r, folder: f, page: page, now: time.Now}
	if err := f.read("maintenance.json", &s.mode); err != nil {
		return err
	}
	if s.db, err = r.open(ctx, settings.Database); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.db.Close()) }()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", settings.Address)
	if err != nil {
		return err
	}
	by := owner{PID: os.Getpid(), Version: r.Version, Address: listener.Addr().String()}
	if err := own(lock, by); err != nil {
		return errors.Join(err, listener.Close())
	}
	sayf(log, "release %s serves at http://%s", r.Version, by.Address)
	return until(ctx, &http.Server{Handler: s.handler(), ReadHeaderTimeout: shutdownIn}, listener)
}

// until serves until the context ends, and lets what is under way end then.
func until(ctx context.Context, server *http.Server, listener net.Listener) error {
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownIn)
	defer cancel()
	err := server.Shutdown(ctx)
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// serveUntilSignal serves until the process is asked to end.
func (r Release) serveUntilSignal(ctx context.Context, f folder, log io.Writer) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := r.serve(ctx, f, log); err != nil {
		return fmt.Errorf("serve %q: %w", f, err)
	}
	sayf(log, "release %s has ended", r.Version)
	return nil
}
