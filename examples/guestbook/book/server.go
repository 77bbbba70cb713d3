package book

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"sync"
	"time"
)

// server answers for one guestbook.
type server struct {
	release Release
	folder  folder
	db      *sql.DB
	page    *template.Template
	now     func() time.Time

	// writing is held while an entry is written, and to change the mode: once the
	// maintenance mode is on, nothing is written any more.
	writing sync.Mutex
	mode    Maintenance
}

// maxBody is how much of a request is read.
const maxBody = 64 << 10

// refusal is an error that a visitor is told, with its status.
type refusal struct {
	status int
	text   string
}

// Error implements error.
func (r refusal) Error() string { return r.text }

func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("POST /{$}", s.form)
	mux.HandleFunc("GET /health", answer(s.health))
	mux.HandleFunc("GET /writable", answer(s.writable))
	mux.HandleFunc("GET /api/entries", answer(s.list))
	mux.HandleFunc("POST /api/entries", answer(s.write))
	mux.HandleFunc("GET /api/count", answer(s.count))
	mux.HandleFunc("POST /api/check", answer(s.check))
	mux.HandleFunc("GET /api/maintenance", answer(s.maintenance))
	mux.HandleFunc("PUT /api/maintenance", answer(s.maintain))
	return mux
}

// answer writes what a function returns as JSON.
func answer(f func(r *http.Request) (status int, body any, err error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		status, body, err := f(r)
		if err != nil {
			var told refusal
			if !errors.As(err, &told) {
				told = refusal{http.StatusInternalServerError, err.Error()}
			}
			status, body = told.status, map[string]string{"error": told.text}
		}
		data, err := json.Marshal(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(append(data, '\n')) // The visitor has gone; nobody can be told.
	}
}

func (s *server) health(*http.Request) (int, any, error) {
	return http.StatusOK, map[string]any{"version": s.release.Version, "schema": s.release.Schema}, nil
}

func (s *server) writable(*http.Request) (int, any, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.closed(); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]bool{"writable": true}, nil
}

// closed refuses to write in maintenance mode. The lock is held.
func (s *server) closed() error {
	if !s.mode.On {
		return nil
	}
	text := "the guestbook takes no entries now, it can be read"
	if s.mode.Message != "" {
		text += ": " + s.mode.Message
	}
	return refusal{http.StatusServiceUnavailable, text}
}

func (s *server) list(r *http.Request) (int, any, error) {
	list, err := s.release.List(r.Context(), s.db, r.FormValue("search"))
	if err != nil {
		return 0, nil, err
	}
	views := make([]any, len(list))
	for i, e := range list {
		views[i] = s.release.View(e)
	}
	return http.StatusOK, views, nil
}

func (s *server) write(r *http.Request) (int, any, error) {
	var in struct {
		Author  string `json:"author"`
		Message string `json:"message"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return 0, nil, refusal{http.StatusBadRequest, "the entry cannot be read: " + err.Error()}
	}
	e, err := s.add(r.Context(), in.Author, in.Message)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, s.release.View(e), nil
}

// add writes an entry.
func (s *server) add(ctx context.Context, author, message string) (Entry, error) {
	e := newEntry(author, message, s.now())
	if err := e.check(); err != nil {
		return e, err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.closed(); err != nil {
		return e, err
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return e, err
	}
	defer func() { _ = tx.Rollback() }() // Nothing is left to take back behind a commit.
	if e.ID, err = s.release.Add(ctx, tx, e); err != nil {
		return e, err
	}
	return e, tx.Commit()
}

// counted is how many entries there are, a digest of what they say, which is the same
// in all releases, and the size of the database in bytes.
type counted struct {
	Entries int    `json:"entries"`
	Digest  string `json:"digest"`
	Size    int64  `json:"size"`
}

func (s *server) count(r *http.Request) (int, any, error) {
	list, err := s.release.List(r.Context(), s.db, "")
	if err != nil {
		return 0, nil, err
	}
	out := counted{Entries: len(list), Digest: digest(list)}
	const query = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
	if err := s.db.QueryRowContext(r.Context(), query).Scan(&out.Size); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, out, nil
}

func digest(list []Entry) string {
	sum := sha256.New()
	for _, e := range list {
		_, _ = fmt.Fprintf(sum, "%d %q %q %s\n", e.ID, e.Author, e.Message, e.Written.Format(time.RFC3339))
	}
	const enough = 8
	return hex.EncodeToString(sum.Sum(nil)[:enough])
}

// check writes an entry, reads it back and takes it back, in maintenance mode too.
func (s *server) check(r *http.Request) (int, any, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	ctx := r.Context()
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = tx.Rollback() }() // That is what it is for.
	e := Entry{Author: "guestbook check", Message: "This entry is never kept.", Written: s.now().UTC()}
	if e.ID, err = s.release.Add(ctx, tx, e); err != nil {
		return 0, nil, err
	}
	list, err := s.release.List(ctx, tx, "")
	if err != nil {
		return 0, nil, err
	}
	if len(list) == 0 || list[len(list)-1].ID != e.ID || list[len(list)-1].Message != e.Message {
		return 0, nil, fmt.Errorf("entry %d was written and cannot be read", e.ID)
	}
	return http.StatusOK, map[string]any{"written": true, "entriesThen": len(list)}, nil
}

func (s *server) maintenance(*http.Request) (int, any, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	return http.StatusOK, s.mode, nil
}

// maintain changes the mode, once no entry is being written.
func (s *server) maintain(r *http.Request) (int, any, error) {
	var mode Maintenance
	if err := json.NewDecoder(r.Body).Decode(&mode); err != nil {
		return 0, nil, refusal{http.StatusBadRequest, "the mode cannot be read: " + err.Error()}
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.folder.write("maintenance.json", mode); err != nil {
		return 0, nil, err
	}
	s.mode = mode
	return http.StatusOK, mode, nil
}

// home shows the page.
func (s *server) home(w http.ResponseWriter, r *http.Request) {
	word := r.FormValue("search")
	list, err := s.release.List(r.Context(), s.db, word)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.writing.Lock()
	mode := s.mode
	s.writing.Unlock()
	const shown = 100
	list = list[max(0, len(list)-shown):]
	slices.Reverse(list)
	var page bytes.Buffer
	err = s.page.Execute(&page, map[string]any{
		"Version": s.release.Version, "Entries": list, "Maintenance": mode, "Search": word,
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = page.WriteTo(w) // The visitor has gone; nobody can be told.
}

// form takes the form of the page.
func (s *server) form(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	_, err := s.add(r.Context(), r.PostFormValue("author"), r.PostFormValue("message"))
	var told refusal
	switch {
	case err == nil:
		http.Redirect(w, r, "/", http.StatusSeeOther)
	case errors.As(err, &told):
		http.Error(w, told.text, told.status)
	default:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}
