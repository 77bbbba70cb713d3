package backup

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/minio/minio-go/v7"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/backup/miniotest"
)

// proxy stands in front of a server: what meddle answers does not reach it.
func proxy(t *testing.T, s *miniotest.Server, meddle func(w http.ResponseWriter, r *http.Request, pass http.Handler)) string {
	t.Helper()
	target := &url.URL{Scheme: "http", Host: s.Host}
	pass := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // it is signed
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { meddle(w, r, pass) }))
	t.Cleanup(front.Close)
	return strings.TrimPrefix(front.URL, "http://")
}

func isPut(r *http.Request, part string) bool {
	return r.Method == http.MethodPut && strings.Contains(r.URL.Path, part)
}

// oneLine fails the test unless an error has a reason and says it in one line.
func oneLine(t *testing.T, err error, reason, want string) {
	t.Helper()
	if action.ReasonOf(err) != reason || !strings.Contains(fmt.Sprint(err), want) || strings.Contains(fmt.Sprint(err), "\n") {
		t.Errorf("got  %s: %v\nwant %s: %s", action.ReasonOf(err), err, reason, want)
	}
	for _, secret := range append(server.Server(t).Environ(), "hunter2") {
		if _, value, _ := strings.Cut(secret, "="); value != "" && strings.Contains(fmt.Sprint(err), value) && value != "refit-test" {
			t.Errorf("the message holds a secret: %v", err)
		}
	}
}

// good makes a backup that has to stay whatever happens next, and returns what
// looks whether it did.
func good(t *testing.T, w Worker, s Store) (stays func(Store)) {
	t.Helper()
	tree := t.TempDir()
	put(t, tree+"/a", "the last good one")
	e := w.mustMake(t, Request{Store: s, Name: "x", Key: "good", Kind: Directory, Path: tree})
	if _, err := w.Prove(t.Context(), s, e, Restored, nil); err != nil {
		t.Fatal(err)
	}
	return func(s Store) {
		t.Helper()
		if err := verified(t, w, s, e.ID, nil, Restored); err != nil {
			t.Errorf("the last good backup: %v", err)
		}
	}
}

// TestServerThatDies kills the server in the middle of a backup and of a proof,
// and goes on when it is back.
func TestServerThatDies(t *testing.T) {
	t.Parallel()
	own := miniotest.Start(t)
	w, tree := worker(t), t.TempDir()
	put(t, tree+"/big", noise(12, 40<<20))
	p := newBucket(t, own)
	s := &faulty{Store: p.open(t), after: 1000}
	stays := good(t, w, s)
	r := Request{Store: s, Name: "x", Key: "r/s", Kind: Directory, Path: tree}
	first := s.puts + 1
	s.on = func(n int) {
		if n == first+2 {
			own.Kill()
		}
	}
	_, err := w.Make(t.Context(), r)
	oneLine(t, err, ReasonStoreGone, "see whether the server runs and can be reached from here")
	own.Restart(t)
	stays(s)
	before := s.puts
	e := w.mustMake(t, r)
	if sent, want := s.puts-before, len(e.Manifest.Parts)-2+1; sent != want || len(e.Manifest.Parts) < 5 {
		t.Errorf("of %d parts two were there, and %d objects were sent, want %d", len(e.Manifest.Parts), sent, want)
	}
	dying := w
	dying.Report = func(p action.Progress) {
		if p.Done > 25<<20 {
			own.Kill()
		}
	}
	_, err = dying.Check(t.Context(), s, e, ReadBack, nil)
	oneLine(t, err, ReasonStoreGone, "see whether the server runs")
	own.Restart(t)
	if err := verified(t, w, s, e.ID, nil, Restored); err != nil {
		t.Error(err)
	}
	stays(s)
}

// TestServerThatLies has a server that answers that all is well and keeps
// nothing: with what it says afterwards, and without.
func TestServerThatLies(t *testing.T) {
	t.Parallel()
	minioServer, w, tree := server.Server(t), worker(t), t.TempDir()
	put(t, tree+"/big", noise(13, 20<<20))
	for name, tc := range map[string]struct {
		object string
		stat   bool
		reason string
		want   string
	}{
		"Part":             {"/part-000002", false, ReasonStoreTrouble, `zst" is not there, although it was just written: see whether the store is in order`},
		"Manifest":         {"/manifest", false, ReasonStoreTrouble, `manifest.jsonl" is not there, although it was just written`},
		"PartToTheEnd":     {"/part-000002", true, ReasonBackupDamaged, `zst" is missing: restore another backup`},
		"ManifestToTheEnd": {"/manifest", true, "", "file does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newBucket(t, minioServer)
			stays := good(t, w, p.open(t))
			var size atomic.Int64
			host := proxy(t, minioServer, func(rw http.ResponseWriter, r *http.Request, pass http.Handler) {
				switch {
				case isPut(r, tc.object):
					size.Store(r.ContentLength)
					_, _ = io.Copy(io.Discard, r.Body)
					rw.Header().Set("ETag", `"0123456789abcdef0123456789abcdef"`)
				case tc.stat && r.Method == http.MethodHead && strings.Contains(r.URL.Path, tc.object):
					rw.Header().Set("Content-Length", fmt.Sprint(size.Load()))
					rw.Header().Set("Last-Modified", "Sat, 28 Nov 2026 02:00:00 GMT")
				default:
					pass.ServeHTTP(rw, r)
				}
			})
			s := openS3(t, fmt.Sprintf("s3://%s/%s?endpoint=http://%s", p.bucket, testPrefix, host), minioServer.Environ())
			m, err := w.Make(t.Context(), Request{Store: s, Name: "x", Key: "r/s", Kind: Directory, Path: tree})
			if err == nil {
				err = verified(t, w, s, m.ID, nil, ReadBack)
			}
			oneLine(t, err, tc.reason, tc.want)
			stays(p.open(t))
		})
	}
}

// TestConnectionThatBreaks cuts answers off: once, which nobody notices, and each
// time, which is trouble of the store and no damage of the backup.
func TestConnectionThatBreaks(t *testing.T) {
	t.Parallel()
	minioServer, w := server.Server(t), worker(t)
	p := newBucket(t, minioServer)
	content := noise(14, 5<<20)
	mustPut(t, p.open(t), "a/x", content)
	tree := t.TempDir()
	put(t, tree+"/b", content)
	e := w.mustMake(t, Request{Store: p.open(t), Name: "x", Key: "r/s", Kind: Directory, Path: tree})
	for name, tc := range map[string]struct {
		cuts int32
		ok   bool
	}{"Once": {1, true}, "Thrice": {3, true}, "Always": {1000, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var cuts atomic.Int32
			host := proxy(t, minioServer, func(rw http.ResponseWriter, r *http.Request, pass http.Handler) {
				if r.Method == http.MethodGet && (strings.Contains(r.URL.Path, "/part-") || strings.HasSuffix(r.URL.Path, "/a/x")) && cuts.Add(1) <= tc.cuts {
					rw = &cutOff{ResponseWriter: rw, left: 1 << 20}
				}
				pass.ServeHTTP(rw, r)
			})
			s := openS3(t, fmt.Sprintf("s3://%s/%s?endpoint=http://%s", p.bucket, testPrefix, host), minioServer.Environ())
			data, err := read(t.Context(), s, "a/x", 64<<20)
			if tc.ok && (err != nil || string(data) != content || cuts.Load() < tc.cuts) {
				t.Errorf("%d bytes, %d cuts, %v", len(data), cuts.Load(), err)
			}
			if !tc.ok {
				oneLine(t, err, ReasonStoreGone, `read "a/x": the server has closed the connection: see whether the server runs`)
				oneLine(t, verified(t, w, s, e.ID, nil, ReadBack), ReasonStoreGone, "the server has closed the connection")
			}
		})
	}
}

// cutOff ends the connection after some bytes of the answer.
type cutOff struct {
	http.ResponseWriter
	left int
}

func (c *cutOff) Write(p []byte) (int, error) {
	if c.left -= len(p); c.left < 0 {
		panic(http.ErrAbortHandler)
	}
	return c.ResponseWriter.Write(p)
}

// TestAnswerThatIsLost loses the answer to the request that stores an object, so
// that the next one finds it there.
func TestAnswerThatIsLost(t *testing.T) {
	t.Parallel()
	minioServer := server.Server(t)
	p := newBucket(t, minioServer)
	var puts atomic.Int32
	host := proxy(t, minioServer, func(rw http.ResponseWriter, r *http.Request, pass http.Handler) {
		first := r.Method == http.MethodPut && puts.Add(1) == 1
		pass.ServeHTTP(rw, r)
		if first {
			panic(http.ErrAbortHandler)
		}
	})
	s := openS3(t, fmt.Sprintf("s3://%s/%s?endpoint=http://%s", p.bucket, testPrefix, host), minioServer.Environ())
	mustPut(t, s, "a/x", "once")
	if got := string(p.load(t, "a/x")); got != "once" || puts.Load() != 2 {
		t.Errorf("%q after %d requests", got, puts.Load())
	}
}

// policy permits actions on a bucket and its objects.
func policy(bucket string, actions ...string) string {
	return fmt.Sprintf(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["%s"], "Resource": ["arn:aws:s3:::%s", "arn:aws:s3:::%[2]s/*"]}]}`,
		strings.Join(actions, `","`), bucket)
}

// TestDenied has keys that may only read, and such that may do nothing.
func TestDenied(t *testing.T) {
	t.Parallel()
	minioServer, w, tree := server.Server(t), worker(t), t.TempDir()
	put(t, tree+"/a", "x")
	p := newBucket(t, minioServer)
	stays := good(t, w, p.open(t))
	address := minioServer.Address(p.bucket, testPrefix)
	reader := openS3(t, address, minioServer.Restricted(t, policy(p.bucket, "s3:GetObject", "s3:ListBucket")))
	_, err := w.Make(t.Context(), Request{Store: reader, Name: "x", Key: "r/s", Kind: Directory, Path: tree})
	oneLine(t, err, ReasonStoreReadOnly, "Access Denied (AccessDenied): permit these keys to list, read, write and remove there")
	stays(reader)
	entries, err := Catalog(t.Context(), reader)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%d backups, %v", len(entries), err)
	}
	oneLine(t, Prune(t.Context(), reader, []Verdict{{Entry: entries[0]}}, nil), ReasonStoreReadOnly, `remove "x-`)
	stranger := openS3(t, address, minioServer.Restricted(t, policy("another", "s3:GetObject")))
	_, err = Catalog(t.Context(), stranger)
	oneLine(t, err, ReasonStoreReadOnly, `list what it has: Access Denied`)
	stays(p.open(t))
}

// TestServersThatAreNotThere is what a person sees who has mistaken something.
func TestServersThatAreNotThere(t *testing.T) {
	t.Parallel()
	minioServer, w := server.Server(t), worker(t)
	p := newBucket(t, minioServer)
	stays := good(t, w, p.open(t))
	right := minioServer.Address(p.bucket, testPrefix)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	secure.Config.ErrorLog = nil
	t.Cleanup(secure.Close)
	home := t.TempDir()
	environ := minioServer.Environ()
	_, secretKey, _ := strings.Cut(environ[1], "=")
	put(t, home+"/.aws/credentials", "[hunter2\nsecret = hunter2\n")
	put(t, home+"/half", "[default]\naws_access_key_id = x\n")
	cases := map[string]struct {
		address, reason, want string
		environ               []string
	}{
		"Bucket":    {minioServer.Address("not-there", ""), ReasonStoreGone, `there is no bucket "not-there": create the bucket, or correct the address`, environ},
		"Key":       {right, action.ReasonAccessRefused, "(InvalidAccessKeyId): correct AWS_ACCESS_KEY_ID and", []string{"AWS_ACCESS_KEY_ID=nobody", environ[1]}},
		"Secret":    {right, action.ReasonAccessRefused, "(SignatureDoesNotMatch): correct AWS_", []string{environ[0], "AWS_SECRET_ACCESS_KEY=hunter2"}},
		"Token":     {right, action.ReasonAccessRefused, "(InvalidTokenId): correct AWS_", append([]string{"AWS_SESSION_TOKEN=hunter2"}, environ...)},
		"NoKeys":    {right, action.ReasonAccessRefused, fmt.Sprintf(`there are no keys for it, neither in the environment nor as profile "default" in %q: set AWS_ACCESS_KEY_ID`, "/nowhere/.aws/credentials"), []string{"HOME=/nowhere"}},
		"BadFile":   {right, action.ReasonAccessRefused, "there are no keys for it", []string{"HOME=" + home}},
		"HalfFile":  {right, action.ReasonAccessRefused, "there are no keys for it", []string{"AWS_SHARED_CREDENTIALS_FILE=" + home + "/half"}},
		"Refused":   {"s3://bucket?endpoint=http://" + closed.Addr().String(), ReasonStoreGone, "connection refused: see whether the server runs and can be reached from here", environ},
		"NoTLS":     {strings.Replace(right, "http://", "https://", 1), ReasonStoreAddress, "the server speaks no TLS: write http:// in the endpoint", environ},
		"Authority": {"s3://bucket?endpoint=" + secure.URL, ReasonStoreTrouble, "certificate signed by unknown authority: let this machine trust its certificate", environ},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openS3(t, tc.address, tc.environ)
			_, err := Catalog(t.Context(), s)
			oneLine(t, err, tc.reason, tc.want)
			if strings.Contains(err.Error(), secretKey) {
				t.Errorf("it tells the secret: %v", err)
			}
			_, err = s.Open(t.Context(), "a/x")
			oneLine(t, err, tc.reason, tc.want)
			oneLine(t, s.Put(t.Context(), "a/x", nil), tc.reason, tc.want)
			oneLine(t, s.Remove(t.Context(), "a/x"), tc.reason, tc.want)
			stays(p.open(t))
		})
	}
}

// TestKeys finds the keys everywhere where they may be.
func TestKeys(t *testing.T) {
	t.Parallel()
	minioServer := server.Server(t)
	p := newBucket(t, minioServer)
	home := t.TempDir()
	_, id, _ := strings.Cut(minioServer.Environ()[0], "=")
	_, secret, _ := strings.Cut(minioServer.Environ()[1], "=")
	profile := func(name string) string {
		return fmt.Sprintf("[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n", name, id, secret)
	}
	put(t, home+"/.aws/credentials", profile("default"))
	put(t, home+"/others", "[default]\naws_access_key_id = x\naws_secret_access_key = x\n\n"+profile("backups"))
	for name, environ := range map[string][]string{
		"AWS":     {"AWS_ACCESS_KEY_ID=" + id, "AWS_SECRET_ACCESS_KEY=" + secret},
		"Old":     {"AWS_ACCESS_KEY=" + id, "AWS_SECRET_KEY=" + secret},
		"Root":    {"MINIO_ROOT_USER=" + id, "MINIO_ROOT_PASSWORD=" + secret},
		"MinIO":   {"MINIO_ACCESS_KEY=" + id, "MINIO_SECRET_KEY=" + secret},
		"Order":   {"MINIO_ACCESS_KEY=x", "MINIO_SECRET_KEY=x", "AWS_ACCESS_KEY_ID=" + id, "AWS_SECRET_ACCESS_KEY=" + secret},
		"Half":    {"AWS_ACCESS_KEY_ID=x", "MINIO_ACCESS_KEY=" + id, "MINIO_SECRET_KEY=" + secret},
		"File":    {"HOME=" + home},
		"Profile": {"AWS_SHARED_CREDENTIALS_FILE=" + home + "/others", "AWS_PROFILE=backups"},
		"Session": minioServer.Restricted(t, policy(p.bucket, "s3:*")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openS3(t, minioServer.Address(p.bucket, "keys"), environ)
			mustPut(t, s, strings.ToLower(name), "x")
		})
	}
}

// TestTrust reaches a server over TLS whose certificate the transport trusts.
func TestTrust(t *testing.T) {
	t.Parallel()
	minioServer := server.Server(t)
	p := newBucket(t, minioServer)
	target := &url.URL{Scheme: "http", Host: minioServer.Host}
	front := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}})
	t.Cleanup(front.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	put(t, file, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw})))
	s, err := Opener{Environ: minioServer.Environ(), Transport: front.Client().Transport}.Open(
		fmt.Sprintf("s3://%s/tls?endpoint=%s&region=us-east-1", p.bucket, front.URL), "")
	if err != nil {
		t.Fatal(err)
	}
	mustPut(t, s, "a/x", "over TLS")
	if got := mustRead(t, s, "a/x"); got != "over TLS" {
		t.Errorf("got %q", got)
	}
}

// TestAnswers sorts answers that this server does not give.
func TestAnswers(t *testing.T) {
	t.Parallel()
	b := &bucket{address: "s3://b", name: "b"}
	for name, tc := range map[string]struct {
		answer minio.ErrorResponse
		reason string
	}{
		"Expired":    {minio.ErrorResponse{Code: "ExpiredToken", StatusCode: 400}, action.ReasonAccessRefused},
		"Quota":      {minio.ErrorResponse{Code: "QuotaExceeded", StatusCode: 403}, ReasonStoreFull},
		"Full":       {minio.ErrorResponse{Code: "Whatever", StatusCode: 507}, ReasonStoreFull},
		"Forbidden":  {minio.ErrorResponse{Code: "AllAccessDisabled", StatusCode: 403}, ReasonStoreReadOnly},
		"Region":     {minio.ErrorResponse{Code: "AuthorizationHeaderMalformed", StatusCode: 400}, ReasonStoreAddress},
		"Clock":      {minio.ErrorResponse{Code: "RequestTimeTooSkewed", StatusCode: 403}, ReasonStoreTrouble},
		"Conditions": {minio.ErrorResponse{Code: "NotImplemented", StatusCode: 501}, ReasonStoreTrouble},
		"Busy":       {minio.ErrorResponse{Code: "SlowDown", StatusCode: 503, Message: "two\nlines"}, ReasonStoreTrouble},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			oneLine(t, b.failed(t.Context(), "write", "a/x", tc.answer), tc.reason, `backup store "s3://b": write "a/x": `)
		})
	}
}

// TestConflict meets a server that cannot decide at once who of two may write.
func TestConflict(t *testing.T) {
	t.Parallel()
	minioServer := server.Server(t)
	p := newBucket(t, minioServer)
	var puts atomic.Int32
	host := proxy(t, minioServer, func(rw http.ResponseWriter, r *http.Request, pass http.Handler) {
		if r.Method == http.MethodPut && puts.Add(1) <= 2 {
			_, _ = io.Copy(io.Discard, r.Body)
			rw.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(rw, "<Error><Code>"+codeConflict+"</Code><Message>busy</Message></Error>")
			return
		}
		pass.ServeHTTP(rw, r)
	})
	s := openS3(t, fmt.Sprintf("s3://%s?endpoint=http://%s", p.bucket, host), minioServer.Environ())
	mustPut(t, s, "a/x", "third time")
	if puts.Load() != 3 {
		t.Errorf("%d requests", puts.Load())
	}
}

func TestParseS3(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]any{
		"s3://bucket":                   s3Address{bucket: "bucket", secure: true},
		"s3://bucket/?region=eu-west-1": s3Address{bucket: "bucket", secure: true, region: "eu-west-1"},
		"s3://my.bucket-1/a/B_c.d/?endpoint=http://127.0.0.1:9000": s3Address{bucket: "my.bucket-1", prefix: "a/B_c.d", host: "127.0.0.1:9000"},
		"s3://bucket/a?endpoint=https://s3.example.org/&region=x":  s3Address{bucket: "bucket", prefix: "a", host: "s3.example.org", secure: true, region: "x"},
		"s3://bucket/a?endpoint=https%3A%2F%2F[::1]:9000":          s3Address{bucket: "bucket", prefix: "a", host: "[::1]:9000", secure: true},

		"s3:///prefix":                                  "after s3:// comes the name of a bucket",
		"s3://UPPER/x":                                  "after s3:// comes the name of a bucket",
		"s3://bucket:9000/x":                            "after s3:// comes the name of a bucket",
		"s3://bucket/../x":                              "a prefix is made of",
		"s3://bucket/a//b":                              "a prefix is made of",
		"s3://bucket/a%20b":                             "a prefix is made of",
		"s3://bucket/x#y":                               "nothing can follow a #",
		"s3://bucket?secretKey=hunter2":                 "keys do not belong there, but into the environment: write file:///path or s3://bucket/prefix?endpoint=https://host:port",
		"s3://bucket?region=a&region=b":                 "once each",
		"s3://bucket?endpoint=":                         "is not http:// or https:// with a host",
		"s3://bucket?endpoint=host:9000":                "is not http:// or https:// with a host",
		"s3://bucket?endpoint=https://me:hunter2@host":  "is not http:// or https:// with a host",
		"s3://bucket?endpoint=https://host/path":        "is not http:// or https:// with a host",
		"s3://bucket?endpoint=https://host?key=hunter2": "is not http:// or https:// with a host",
		"s3://bucket?endpoint=%zz":                      "has a query that is none",
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseS3(address, u)
		if text, isError := want.(string); isError {
			if action.ReasonOf(err) != ReasonStoreAddress || !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: got %v, want %q", address, err, text)
			}
		} else if diff := cmp.Diff(want, got, cmp.AllowUnexported(s3Address{})); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", address, err, diff)
		}
	}
	if _, err := (Opener{}).Open("s3://bucket?endpoint=http://a_b:x", ""); action.ReasonOf(err) != ReasonStoreAddress {
		t.Errorf("got %v", err)
	}
}

// TestOpenAsksNothing opens a store where nobody answers and no key is.
func TestOpenAsksNothing(t *testing.T) {
	t.Parallel()
	refuse := roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("asked") })
	s, err := Opener{Transport: refuse}.Open("s3://bucket/prefix", "")
	if err != nil || s.Address() != "s3://bucket/prefix" {
		t.Errorf("got %v", err)
	}
}

// TestAWS looks at where requests for AWS go: nothing of it is there to ask.
func TestAWS(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		address string
		environ []string
		want    string
	}{
		"Region":      {"s3://bucket/a?region=eu-west-1", nil, "https://bucket.s3.dualstack.eu-west-1.amazonaws.com/"},
		"Environment": {"s3://bucket/a", []string{"AWS_REGION=eu-north-1"}, "https://bucket.s3.dualstack.eu-north-1.amazonaws.com/"},
		"Default":     {"s3://bucket/a", []string{"AWS_DEFAULT_REGION=eu-north-1"}, "https://bucket.s3.dualstack.eu-north-1.amazonaws.com/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked string
			spy := roundTripper(func(r *http.Request) (*http.Response, error) {
				asked = r.URL.String()
				return &http.Response{StatusCode: http.StatusForbidden, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
			})
			s, err := Opener{Environ: append(tc.environ, "AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=y"), Transport: spy}.Open(tc.address, "")
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.List(t.Context(), "")
			if action.ReasonOf(err) != ReasonStoreReadOnly || !strings.HasPrefix(asked, tc.want) {
				t.Errorf("asked %s: %v", asked, err)
			}
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
