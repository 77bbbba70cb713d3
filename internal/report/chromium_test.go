package report

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestReportInBrowser opens reports in Chromium, on a wide screen and on a phone,
// in light and in dark: nothing is wider than the screen, nothing is fetched, the
// style is in force, and the page has no script.
//
// The page may run no script, so the measuring is done by a page around it that
// shows it in a frame and reads it from there.
func TestReportInBrowser(t *testing.T) {
	t.Parallel()
	browser := chromium(t)
	pages := map[string]string{}
	for _, name := range []string{"wiki", "hostile", "kept-halted"} {
		r := BuildReport(reports(t)[name])
		pages[name] = render(t, func(w io.Writer) error { return RenderHTML(w, &r) })
	}
	var mu sync.Mutex
	var fetched []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		mu.Lock()
		fetched = append(fetched, req.URL.Path)
		mu.Unlock()
		switch req.URL.Path {
		case "/page":
			_, _ = io.WriteString(w, pages[req.URL.Query().Get("name")])
		case "/around":
			_, _ = io.WriteString(w, around(pages))
		default:
			http.NotFound(w, req)
		}
	}))
	t.Cleanup(server.Close)
	for scheme, ground := range []string{"rgb(15, 19, 24)", "rgb(255, 255, 255)"} {
		dom := opened(t, browser, scheme, server.URL+"/around")
		found := regexp.MustCompile(`<p>(.*?)</p>`).FindAllStringSubmatch(dom, -1)
		if len(found) != 2*len(pages) {
			t.Fatalf("%d frames were measured, want %d: %.400s", len(found), 2*len(pages), dom)
		}
		for _, f := range found {
			frame, got, _ := strings.Cut(f[1], "; ")
			_, width, _ := strings.Cut(frame, " ")
			want := "0 beyond the screen of " + width + ", ground " + ground + ", 0 scripts"
			if got != want {
				t.Errorf("%s: got %q, want %q", frame, got, want)
			}
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, path := range fetched {
		if path != "/page" && path != "/around" && path != "/favicon.ico" {
			t.Errorf("the page fetches %s", path)
		}
	}
}

// around is a page that shows all pages in frames of two widths, and writes a
// line with what it measures in each.
func around(pages map[string]string) string {
	var b strings.Builder
	b.WriteString("<!DOCTYPE html><html><body><script>" + measure + "</script>")
	for name := range pages {
		for _, width := range []int{390, 1280} {
			fmt.Fprintf(&b, `<iframe id="%[1]s %[2]d" style="border:0;width:%[2]dpx;height:900px" `+
				`onload="measure(this)" src="/page?name=%[1]s"></iframe>`, name, width)
		}
	}
	return b.String() + "</body></html>"
}

// measure counts the elements beyond the screen, with all attempts shown. Heads of
// tables are for readers by ear only on a phone.
const measure = `function measure(frame) {
  const d = frame.contentDocument, w = d.documentElement.clientWidth;
  for (const x of d.querySelectorAll("details")) x.open = true;
  let wide = d.documentElement.scrollWidth > w ? 1 : 0;
  for (const x of d.body.querySelectorAll("*")) {
    const r = x.getBoundingClientRect(), text = x.matches("svg text");
    if (x.matches(".skip, thead, thead *") || x.closest("svg") && !text) continue;
    if (r.right > w + 1 || text && r.left < -1) wide++;
  }
  const ground = frame.contentWindow.getComputedStyle(d.body).backgroundColor;
  const p = document.createElement("p");
  p.textContent = frame.id + "; " + wide + " beyond the screen of " + w + ", ground " + ground + ", " +
    d.querySelectorAll("script").length + " scripts";
  document.body.append(p);
}`

// opened loads a page and returns its document after the scripts of the page
// around it. scheme is Chromium's number of the preferred colours: 0 is dark.
func opened(t *testing.T, browser string, scheme int, url string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser,
		"--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
		"--disable-background-networking", "--window-size=1400,1000", "--user-data-dir="+t.TempDir(),
		fmt.Sprintf("--blink-settings=preferredColorScheme=%d", scheme), "--virtual-time-budget=5000", "--dump-dom", url)
	cmd.WaitDelay = 5 * time.Second
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("open %s: %v: %s", url, err, said.String())
	}
	return string(out)
}

// chromium returns the browser of this machine. With REFIT_TEST=all one is
// installed when there is none.
func chromium(t *testing.T) string {
	t.Helper()
	names := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}
	find := func() string {
		for _, name := range names {
			if path, err := exec.LookPath(name); err == nil {
				return filepath.Clean(path)
			}
		}
		return ""
	}
	if path := find(); path != "" {
		return path
	}
	if os.Getenv("REFIT_TEST") != "all" {
		t.Skipf("none of %s is here; REFIT_TEST=all installs one", strings.Join(names, ", "))
	}
	for _, args := range [][]string{
		{"update", "-qq"}, {"install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"},
	} {
		out, err := exec.CommandContext(t.Context(), "apt-get", args...).CombinedOutput()
		if err != nil {
			t.Fatalf("install chromium with apt-get %s: %v: %s", args[0], err, out)
		}
	}
	path := find()
	if path == "" {
		t.Fatal("chromium was installed and is not found")
	}
	return path
}
