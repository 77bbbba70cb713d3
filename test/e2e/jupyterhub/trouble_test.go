package jupyterhub

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refitproject/refit/test/e2e/harness"
)

// TestFullAway first has credentials that expire while the run goes on, and then an API
// server that is away for a minute in the middle of the upgrade of the release. With the
// first the run waits for a person; the second it waits out.
func TestFullAway(t *testing.T) {
	t.Parallel()
	s := newSite(t, sqlite, middle)
	before := s.work()
	account := s.permitted()
	line := newLine(t, s.Config.Host)
	secrets := s.Client.CoreV1().Secrets(s.Name)
	session := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "session"}}
	session, err := secrets.Create(t.Context(), session, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.Kubeconfig = s.kubeconfigFor(account, line.server(), session)
	digest := s.plan()

	expired := false
	code, text := s.follow(s.refit.Command("apply", "plan.json", "--digest", digest, "--run", s.run), func(printed string) {
		if !expired && strings.Contains(printed, "to-4.4.0/values  started") {
			expired = true
			// What it was issued for is gone, and with it the token: as one that has expired.
			if err := secrets.Delete(t.Context(), session.Name, metav1.DeleteOptions{}); err != nil {
				t.Error(err)
			}
		}
	})
	if code != exitWaiting || !strings.Contains(unwrap(text), "renew the credentials") {
		t.Errorf("exit code %d: %s", code, text)
	}

	s.Kubeconfig = s.kubeconfigFor(account, line.server(), nil)
	cut := false
	code, text = s.follow(s.refit.Command("drive", s.run), func(printed string) {
		if !cut && strings.Contains(printed, "to-4.4.0/upgrade  started") {
			cut = true
			time.AfterFunc(2*time.Second, func() { line.cut(time.Minute) })
		}
	})
	if code != exitDone || !cut {
		t.Errorf("exit code %d, cut %v: %s", code, cut, text)
	}
	s.is(newest, before)
}

// line leads to an API server, and can be cut.
type line struct {
	to       string
	listener net.Listener

	mu    sync.Mutex
	down  bool
	conns map[net.Conn]bool
}

func newLine(t *testing.T, server string) *line {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{to: u.Host, listener: listener, conns: map[net.Conn]bool{}}
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // It was closed.
			}
			go l.carry(conn)
		}
	})
	t.Cleanup(func() {
		_ = listener.Close() // It only listens.
		accepting.Wait()
		l.cut(0)
	})
	return l
}

func (l *line) server() string { return "https://" + l.listener.Addr().String() }

// carry carries what one connection says, unless the line is cut.
func (l *line) carry(from net.Conn) {
	to, err := net.Dial("tcp", l.to)
	if err != nil || !l.hold(from, to) {
		_ = from.Close() // Whoever called sees it.
		if to != nil {
			_ = to.Close()
		}
		return
	}
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		go func() {
			_, _ = io.Copy(way[0], way[1]) // The end of either is the end of both.
			done <- struct{}{}
		}()
	}
	<-done
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range []net.Conn{from, to} {
		_ = conn.Close()
		delete(l.conns, conn)
	}
}

func (l *line) hold(conns ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return false
	}
	for _, conn := range conns {
		l.conns[conn] = true
	}
	return true
}

// cut ends all connections, and lets no new ones through for a while.
func (l *line) cut(pause time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = pause > 0
	for conn := range l.conns {
		_ = conn.Close()
	}
	time.AfterFunc(pause, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.down = false
	})
}

// TestFullDenied has an admission webhook of somebody that denies changes of the hub. The
// run says what it said; once it permits them, the same run goes on to the end.
func TestFullDenied(t *testing.T) {
	t.Parallel()
	s := newSite(t, sqlite, middle)
	before := s.work()
	digest := s.plan()
	denies := s.webhook("changes are frozen until Monday: ask the release desk")
	text := unwrap(s.refit.Must(exitHalted, "apply", "plan.json", "--digest", digest, "--run", s.run))
	if !strings.Contains(text, "changes are frozen until Monday") || !strings.Contains(text, "to-4.4.0/upgrade") {
		t.Errorf("it does not say what denies: %s", text)
	}
	denies.Store(false)
	s.refit.Must(exitDone, "retry", s.run, "to-4.4.0", "upgrade")
	s.refit.Must(exitDone, "drive", s.run)
	s.is(newest, before)
}

// webhook has the API server ask before deployments of the namespace are changed.
func (s *site) webhook(says string) *atomic.Bool {
	s.t.Helper()
	denies := &atomic.Bool{}
	denies.Store(true)
	at := s.local()
	ca, certificate := selfSigned(s.t, at)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var review admissionv1.AdmissionReview
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil || review.Request == nil {
			http.Error(w, "no review", http.StatusBadRequest)
			return
		}
		review.Response = &admissionv1.AdmissionResponse{
			UID: review.Request.UID, Allowed: !denies.Load(), Result: &metav1.Status{Message: says},
		}
		review.Request = nil
		_ = json.NewEncoder(w).Encode(review) // The API server asks again.
	}))
	listener, err := net.Listen("tcp", net.JoinHostPort(at.String(), "0"))
	if err != nil {
		s.t.Fatal(err)
	}
	_ = server.Listener.Close() // It has one of its own.
	server.Listener = listener
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	s.t.Cleanup(server.Close)

	hooks, none := s.Client.AdmissionregistrationV1().ValidatingWebhookConfigurations(), admissionregistrationv1.SideEffectClassNone
	address, ignore := server.URL+"/", admissionregistrationv1.Ignore
	_, err = hooks.Create(s.t.Context(), &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: s.Name},
		Webhooks: []admissionregistrationv1.ValidatingWebhook{{
			Name:         "freeze.example.org",
			ClientConfig: admissionregistrationv1.WebhookClientConfig{URL: &address, CABundle: ca},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Update},
				Rule: admissionregistrationv1.Rule{
					APIGroups: []string{"apps"}, APIVersions: []string{"v1"}, Resources: []string{"deployments"},
				},
			}},
			NamespaceSelector:       &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: s.Name}},
			SideEffects:             &none,
			FailurePolicy:           &ignore,
			AdmissionReviewVersions: []string{"v1"},
		}},
	}, metav1.CreateOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := hooks.Delete(context.WithoutCancel(s.t.Context()), s.Name, metav1.DeleteOptions{}); err != nil {
			s.t.Error(err)
		}
	})
	return denies
}

// local is the address of this machine that the API server reaches.
func (s *site) local() net.IP {
	s.t.Helper()
	u, err := url.Parse(s.Config.Host)
	if err != nil {
		s.t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		s.t.Fatal(err)
	}
	at := conn.LocalAddr().(*net.TCPAddr).IP
	_ = conn.Close() // It was only asked for its address.
	return at
}

// selfSigned makes a certificate for an address, and returns it as its own authority too.
func selfSigned(t *testing.T, at net.IP) (ca []byte, certificate tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "freeze"}, IPAddresses: []net.IP{at},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	made, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made}),
		tls.Certificate{Certificate: [][]byte{made}, PrivateKey: key}
}

// TestFullTerminating has a namespace that somebody deletes between plan and apply, and
// that is stuck: nothing is begun, and the message says why.
func TestFullTerminating(t *testing.T) {
	t.Parallel()
	s := newSite(t, sqlite, middle)
	digest := s.plan()
	ctx := t.Context()
	maps := s.Client.CoreV1().ConfigMaps(s.Name)
	_, err := maps.Create(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "held", Finalizers: []string{"example.org/held"}},
	}, metav1.CreateOptions{})
	if err == nil {
		err = s.Client.CoreV1().Namespaces().Delete(ctx, s.Name, metav1.DeleteOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(ctx)
		held, err := maps.Get(ctx, "held", metav1.GetOptions{})
		if err == nil {
			held.Finalizers = nil
			_, err = maps.Update(ctx, held, metav1.UpdateOptions{})
		}
		if err != nil {
			t.Error(err)
		}
	})
	s.Within(2*time.Minute, "the end of the release", func(ctx context.Context) (bool, string) {
		list, err := s.Client.CoreV1().Secrets(s.Name).List(ctx, metav1.ListOptions{LabelSelector: "owner=helm"})
		return err == nil && len(list.Items) == 0, "its records are there"
	})
	code, text := s.refit.Run("apply", "plan.json", "--digest", digest, "--run", s.run)
	if code == exitDone || !strings.Contains(unwrap(text), "the namespace is being deleted since") {
		t.Errorf("exit code %d: %s", code, text)
	}
}

// TestFullNeverReady has a hub that runs and never becomes ready after the upgrade. The
// step ends when its time is over, says what the hub does, and a rollback brings the hub
// of before.
func TestFullNeverReady(t *testing.T) {
	t.Parallel()
	s := newSite(t, sqlite, middle)
	s.values["hub"].(map[string]any)["extraConfig"] = map[string]any{
		"wait": "import jupyterhub, time\nif jupyterhub.__version__.startswith('5.'): time.sleep(86400)\n",
	}
	s.write("values.yaml", s.values)
	s.helm.Must(0, "upgrade", release, chart(middle.chart), "--values", "values.yaml", "--wait", "--timeout", "5m")
	s.answers(middle.hub)
	before := s.work()
	s.procedure = s.impatient("90s")
	s.accept = []any{map[string]any{
		"name": "risk/home-directories", "reason": "The setting of the test is for the hub alone.", "by": "the test",
		"expires": time.Now().AddDate(0, 0, 2).Format(time.DateOnly),
	}}
	digest := s.plan()
	text := unwrap(s.refit.Must(exitHalted, "apply", "plan.json", "--digest", digest, "--run", s.run))
	if !strings.Contains(text, "to-4.4.0/upgrade") || !strings.Contains(text, "not ready") {
		t.Errorf("it does not say that the hub is not ready: %s", text)
	}
	s.refit.Must(exitDone, "rollback", s.run, "--reason", "the hub never becomes ready")
	s.refit.Must(exitDone, "approve", s.run, "rollback", "--digest", digest)
	s.refit.Must(exitRolledBack, "drive", s.run)
	s.is(middle, before)
}

// impatient copies the procedure that Refit ships, with less time for upgrades of the
// release, and returns its file: nobody waits for twenty minutes in a test.
func (s *site) impatient(limit string) string {
	s.t.Helper()
	dir := filepath.Join(s.dir, "procedure")
	shipped, err := filepath.Abs("../../../procedures/jupyterhub")
	if err == nil {
		err = os.CopyFS(dir, os.DirFS(shipped))
	}
	if err != nil {
		s.t.Fatal(err)
	}
	file := filepath.Join("procedure", "procedure.yaml")
	head, upgrade, found := strings.Cut(s.read(file), "\n      upgrade:\n        phase: upgrade\n        needs: [migrate]")
	upgrade2 := strings.Replace(upgrade, "timeout: 20m", "timeout: "+limit, 1)
	if !found || upgrade2 == upgrade {
		s.t.Fatal("the procedure has no step upgrade with a timeout of 20m")
	}
	s.rewrite(file, head+"\n      upgrade:\n        phase: upgrade\n        needs: [migrate]"+
		strings.Replace(upgrade2, "worst: 5m", "worst: 1m", 1))
	return "./" + file
}

// TestFullDeleteAsked has a procedure that asks for what helm delete does, without a
// backup: the claim of the database would die with the release, so nothing is done.
func TestFullDeleteAsked(t *testing.T) {
	t.Parallel()
	s := newSite(t, sqlite, middle)
	before := s.work()
	shipped, err := filepath.Abs("testdata/delete/procedure.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s.procedure, s.asks = shipped, []string{"release", "namespace"}
	// Whoever is asked whether there may be no way back says yes, and still nothing is lost.
	asked := regexp.MustCompile(`refit (approve .*)`).FindStringSubmatch(s.apply(exitWaiting))
	if asked == nil {
		t.Fatal("nobody is asked")
	}
	s.refit.Must(exitDone, strings.Fields(asked[1])...)
	text := unwrap(s.refit.Must(exitHalted, "drive", s.run))
	for _, want := range []string{"would be lost: hub-db-dir", "reclaim policy Delete", "Retain"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
	s.is(middle, before)
}

// TestFullAnotherCluster has another cluster behind the name of the context when the plan
// is applied: it is seen by its identity, before anything is asked of it.
func TestFullAnotherCluster(t *testing.T) {
	t.Parallel()
	s := newSite(t, sqlite, middle)
	before := s.work()
	mine, err := os.ReadFile(s.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(harness.Other(t))
	if err != nil {
		t.Fatal(err)
	}
	s.Kubeconfig = filepath.Join(s.dir, "kubeconfig")
	s.rewrite("kubeconfig", string(mine))
	digest := s.plan()
	s.rewrite("kubeconfig", string(other))
	code, text := s.refit.Run("apply", "plan.json", "--digest", digest, "--run", s.run)
	if code == exitDone || !strings.Contains(unwrap(text), "target cluster is another one: planned for") {
		t.Errorf("exit code %d: %s", code, text)
	}
	s.is(middle, before)
}
