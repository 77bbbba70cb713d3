package miniotest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/refitproject/refit/internal/testserver"
)

// Variable names the environment variable that says where the program is. make
// test sets it.
const Variable = "REFIT_MINIO"

// Region is the region in which a server says that it stands.
const Region = "us-east-1"

const (
	user, password = "refit-test", "refit-test-password"
	patience       = 60 * time.Second
)

// Server is a MinIO server. Its methods are not safe for concurrent use.
type Server struct {
	// Host is its address, with the port; it speaks HTTP.
	Host    string
	program string
	dir     string
	home    string
	log     *testserver.Output
	cmd     *exec.Cmd
	ended   chan struct{}
}

// Start starts a server that ends with the test. Without the program the test is
// skipped, unless REFIT_TEST=all asks for everything.
func Start(tb testing.TB) *Server {
	tb.Helper()
	return StartIn(tb, tb.TempDir())
}

// StartIn starts a server that keeps its objects in dir, until the test ends.
func StartIn(tb testing.TB, dir string) *Server {
	tb.Helper()
	s, err := start(program(tb), dir, tb.TempDir())
	if err != nil {
		tb.Fatalf("start MinIO: %v", err)
	}
	tb.Cleanup(s.Kill)
	return s
}

// Shared is a server for all tests of a package, started by the first one that
// needs it. Stop has to be called when all have ended, in TestMain.
type Shared struct {
	once   sync.Once
	server *Server
	dir    string
	err    error
}

// Server returns the server.
func (s *Shared) Server(tb testing.TB) *Server {
	tb.Helper()
	path := program(tb)
	s.once.Do(func() {
		//nolint:usetesting // it outlives the test that needs it first
		if s.dir, s.err = os.MkdirTemp("", "refit-minio-"); s.err == nil {
			s.server, s.err = start(path, filepath.Join(s.dir, "drive"), s.dir)
		}
	})
	if s.err != nil {
		tb.Fatalf("start MinIO: %v", s.err)
	}
	return s.server
}

// Stop ends the server, if there is one, and removes all that it has.
func (s *Shared) Stop() {
	if s.server != nil {
		s.server.Kill()
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir) // what is left is in the temporary folder
	}
}

// start starts a server. Somebody else may take a port between asking for it and
// using it, so that it is tried again.
func start(program, dir, home string) (*Server, error) {
	const tries = 3
	var err error
	for range tries {
		s := &Server{program: program, dir: dir, home: home}
		var port int
		if port, err = testserver.FreePort(); err != nil {
			return nil, err
		}
		s.Host = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if err = s.launch(); err == nil {
			return s, nil
		}
	}
	return nil, err
}

// Missing says why the program is not there, "" when it is.
func Missing() string {
	path := os.Getenv(Variable)
	if _, err := os.Stat(path); err == nil {
		return ""
	}
	return fmt.Sprintf("%s does not name the MinIO program (it is %q): run make test", Variable, path)
}

// program returns the path of the server program.
func program(tb testing.TB) string {
	tb.Helper()
	why := Missing()
	switch {
	case why == "":
	case os.Getenv("REFIT_TEST") == "all":
		tb.Fatal(why)
	default:
		tb.Skip(why)
	}
	return os.Getenv(Variable)
}

// launch starts the program and waits until it answers.
func (s *Server) launch() error {
	s.log, s.ended = &testserver.Output{}, make(chan struct{})
	s.cmd = exec.CommandContext(context.Background(), s.program, "server", "--address", s.Host, s.dir)
	s.cmd.Env = []string{
		"HOME=" + s.home, "MINIO_ROOT_USER=" + user, "MINIO_ROOT_PASSWORD=" + password,
		"MINIO_BROWSER=off", "MINIO_UPDATE=off", "MINIO_CI_CD=1", "GOMEMLIMIT=512MiB",
	}
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.home, s.log, s.log
	testserver.EndsWithUs(s.cmd, syscall.SIGKILL)
	if err := s.cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = s.cmd.Wait() // it is killed, and what it says is in its log
		close(s.ended)
	}()
	return s.ready()
}

// ready waits until the server answers.
func (s *Server) ready() error {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		if answers(ctx, client, "http://"+s.Host+"/minio/health/ready") {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("it has ended: %s", s.log)
		case <-ctx.Done():
			s.Kill()
			return fmt.Errorf("it does not answer: %s", s.log)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func answers(ctx context.Context, client *http.Client, address string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false
	}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// Kill ends the server as a power cut would, and waits until it has ended.
func (s *Server) Kill() {
	if s.cmd == nil || s.cmd.Process == nil {
		return
	}
	_ = s.cmd.Process.Kill() // it may have ended already
	<-s.ended
}

// Restart starts a server that was killed, with the objects that it has.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	if err := s.launch(); err != nil {
		tb.Fatalf("start MinIO again: %v", err)
	}
}

// Environ returns the environment with the keys of the owner of the server.
func (s *Server) Environ() []string {
	return []string{"AWS_ACCESS_KEY_ID=" + user, "AWS_SECRET_ACCESS_KEY=" + password}
}

// Address returns the address of a store.
func (s *Server) Address(bucket, prefix string) string {
	return fmt.Sprintf("s3://%s/%s?endpoint=http://%s", bucket, prefix, s.Host)
}

// Client returns a client with the keys of the owner.
func (s *Server) Client(tb testing.TB) *minio.Client {
	tb.Helper()
	client, err := minio.New(s.Host, &minio.Options{
		Creds: credentials.NewStaticV4(user, password, ""), Region: Region,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return client
}

// Bucket makes a bucket of a name that nobody else has.
func (s *Server) Bucket(tb testing.TB) string {
	tb.Helper()
	name := strings.ToLower(rand.Text())
	s.MakeBucket(tb, name)
	return name
}

// MakeBucket makes a bucket.
func (s *Server) MakeBucket(tb testing.TB, name string) {
	tb.Helper()
	if err := s.Client(tb).MakeBucket(context.Background(), name, minio.MakeBucketOptions{}); err != nil {
		tb.Fatalf("make bucket %q: %v", name, err)
	}
}

// Restricted returns the environment with keys that may do what a policy says and
// nothing else.
func (s *Server) Restricted(tb testing.TB, policy string) []string {
	tb.Helper()
	assumed, err := credentials.NewSTSAssumeRole("http://"+s.Host, credentials.STSAssumeRoleOptions{
		AccessKey: user, SecretKey: password, Policy: policy, Location: Region,
	})
	if err != nil {
		tb.Fatal(err)
	}
	value, err := assumed.GetWithContext(nil)
	if err != nil {
		tb.Fatalf("restricted keys: %v", errors.Unwrap(err))
	}
	return []string{
		"AWS_ACCESS_KEY_ID=" + value.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + value.SecretAccessKey,
		"AWS_SESSION_TOKEN=" + value.SessionToken,
	}
}
