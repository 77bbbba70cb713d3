package helm

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	helmaction "helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/loader"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/getter"
	"helm.sh/helm/v4/pkg/registry"
	"helm.sh/helm/v4/pkg/repo/v1"

	"github.com/refitproject/refit/internal/action"
)

// ChartSource is where a chart comes from: one of path, repo and oci.
type ChartSource struct {
	Path      string `json:"path,omitempty" doc:"Folder or archive of the chart, relative to the platform file."`
	Repo      string `json:"repo,omitempty" doc:"Address of a chart repository, http or https; needs name."`
	Name      string `json:"name,omitempty" doc:"Name of the chart in the repository."`
	OCI       string `json:"oci,omitempty" doc:"Address of the chart in a registry, such as oci://registry.example.org/charts/hub."`
	CAFile    string `json:"caFile,omitempty" doc:"File with the authority of the server of repo, in PEM; default those of this machine."`
	PlainHTTP bool   `json:"plainHTTP,omitempty" doc:"Asks the registry of oci without TLS."` //nolint:tagliatelle // Platform files and plans name it so.
	Digest    string `json:"digest,omitempty" doc:"Digest that the archive of the chart must have, such as sha256:0f3a…; not for folders."`
}

// wanted is the chart that a step asks for.
type wanted struct {
	source   ChartSource
	version  string
	user     string
	password action.SecretRef
}

// check tells what is wrong with the source.
func (w wanted) check() error {
	s := w.source
	given := 0
	for _, text := range []string{s.Path, s.Repo, s.OCI} {
		if text != "" {
			given++
		}
	}
	switch {
	case given != 1:
		return errors.New("field \"chart\" needs one of path, repo and oci")
	case (s.Repo != "") != (s.Name != ""):
		return errors.New("field \"chart\": repo and name belong together")
	case s.Path == "" && w.version == "":
		return errors.New("field \"version\" is missing: a chart that is fetched needs one, to be the same each time")
	case s.OCI != "" && !registry.IsOCI(s.OCI):
		return fmt.Errorf("field \"chart\": oci is %q, needs an address that begins with oci://", s.OCI)
	case s.Repo != "" && !webAddress(s.Repo):
		return errors.New("field \"chart\": repo needs an address of http or https without user and password")
	case s.Digest != "" && !strings.HasPrefix(s.Digest, "sha256:"):
		//nolint:revive,staticcheck // The colon is part of the digest.
		return errors.New("field \"chart\": digest begins with sha256:")
	}
	return nil
}

func webAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil
}

func (w wanted) String() string {
	s := w.source
	switch {
	case s.Path != "":
		return fmt.Sprintf("chart %q", s.Path)
	case s.OCI != "":
		return fmt.Sprintf("chart %s, version %s", s.OCI, w.version)
	default:
		return fmt.Sprintf("chart %q of %s, version %s", s.Name, s.Repo, w.version)
	}
}

// load fetches and reads the chart.
func (w wanted) load(ctx context.Context, env action.Env) (*chartv2.Chart, error) {
	var loaded chart.Charter
	var err error
	if w.source.Path != "" {
		loaded, err = w.open(env)
	} else {
		loaded, err = w.fetch(ctx, env)
	}
	if err != nil {
		return nil, err
	}
	c, ok := loaded.(*chartv2.Chart)
	if !ok || c.Metadata == nil {
		return nil, refused(reasonChartInvalid, "use a chart of apiVersion v1 or v2",
			fmt.Errorf("load %s: its format is not known", w))
	}
	if w.version != "" && strings.TrimPrefix(c.Metadata.Version, "v") != strings.TrimPrefix(w.version, "v") {
		return nil, refused(reasonChartNotFound, "correct the version, or the chart",
			fmt.Errorf("load %s: it has version %s instead of %s", w, c.Metadata.Version, w.version))
	}
	needs := make([]chart.Dependency, len(c.Metadata.Dependencies))
	for i, d := range c.Metadata.Dependencies {
		needs[i] = d
	}
	if err := helmaction.CheckDependencies(c, needs); err != nil {
		return nil, refused(reasonChartInvalid, "run helm dependency build", fmt.Errorf("load %s: %w", w, err))
	}
	return c, nil
}

// open reads a chart of this machine.
func (w wanted) open(env action.Env) (chart.Charter, error) {
	path := w.source.Path
	if !filepath.IsAbs(path) {
		path = filepath.Join(env.Dir, path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, refused(reasonChartNotFound, "correct the path", fmt.Errorf("load %s: there is none", w))
	}
	if w.source.Digest != "" && !info.IsDir() {
		data, err := os.ReadFile(path)
		if err == nil {
			err = w.verify(data, "")
		}
		if err != nil {
			return nil, err
		}
	}
	c, err := loader.Load(path)
	if err != nil {
		return nil, refused(reasonChartInvalid, "correct the chart", fmt.Errorf("load %s: %w", w, err))
	}
	return c, nil
}

// verify compares an archive with the digest that is asked for, and with the one that
// its repository tells.
func (w wanted) verify(data []byte, told string) error {
	sum := sha256.Sum256(data)
	got := hex.EncodeToString(sum[:])
	for _, want := range []string{w.source.Digest, told} {
		if want != "" && strings.TrimPrefix(want, "sha256:") != got {
			return refused(reasonChartInvalid, "find out who changed the chart",
				fmt.Errorf("load %s: its digest is sha256:%s instead of %s", w, got, want))
		}
	}
	return nil
}

// fetch gets a chart from its server. Helm's clients know no context: the fetch is left
// behind when the call ends.
func (w wanted) fetch(ctx context.Context, env action.Env) (chart.Charter, error) {
	user, password, err := w.credentials(ctx, env)
	if err != nil {
		return nil, err
	}
	type answer struct {
		data []byte
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		var a answer
		if w.source.OCI != "" {
			a.data, a.err = w.pull(user, password)
		} else {
			a.data, a.err = w.download(env, user, password)
		}
		answers <- a
	}()
	select {
	case <-ctx.Done():
		return nil, interrupted("fetch "+w.String(), context.Cause(ctx), action.ExtentNone)
	case a := <-answers:
		if a.err != nil {
			return nil, a.err
		}
		c, err := loader.LoadArchive(bytes.NewReader(a.data))
		if err != nil {
			return nil, refused(reasonChartInvalid, "correct the chart", fmt.Errorf("load %s: %w", w, err))
		}
		return c, nil
	}
}

// credentials are those for the server of the chart.
func (w wanted) credentials(ctx context.Context, env action.Env) (user, password string, err error) {
	if len(w.password) == 0 {
		return w.user, "", nil
	}
	values, err := env.ResolveSecrets(ctx, "chartPassword", map[string]action.SecretRef{"chartPassword": w.password})
	return w.user, values["chartPassword"], err
}

// download gets a chart from a repository.
func (w wanted) download(env action.Env, user, password string) ([]byte, error) {
	caFile := w.source.CAFile
	if caFile != "" && !filepath.IsAbs(caFile) {
		caFile = filepath.Join(env.Dir, caFile)
	}
	get, err := getter.NewHTTPGetter(getter.WithTLSClientConfig("", "", caFile))
	if err != nil {
		return nil, w.unavailable(err)
	}
	index, err := w.index(get, user, password)
	if err != nil {
		return nil, err
	}
	versions := index.Entries[w.source.Name]
	at := slices.IndexFunc(versions, func(v *repo.ChartVersion) bool {
		return v != nil && v.Metadata != nil &&
			strings.TrimPrefix(v.Version, "v") == strings.TrimPrefix(w.version, "v") && len(v.URLs) > 0
	})
	if at < 0 {
		return nil, refused(reasonChartNotFound, "correct name and version: helm search repo shows what there is",
			fmt.Errorf("find %s: the repository has no such chart", w))
	}
	address, err := repo.ResolveReferenceURL(w.source.Repo, versions[at].URLs[0])
	if err != nil {
		return nil, w.unavailable(err)
	}
	options := []getter.Option{getter.WithURL(w.source.Repo)} // Helm sends credentials to this host only.
	if password != "" {
		options = append(options, getter.WithBasicAuth(user, password))
	}
	archive, err := get.Get(address, options...)
	if err != nil {
		return nil, w.unavailable(err)
	}
	return archive.Bytes(), w.verify(archive.Bytes(), versions[at].Digest)
}

// index gets the list of a repository. Helm reads it from files only.
func (w wanted) index(get getter.Getter, user, password string) (*repo.IndexFile, error) {
	address := strings.TrimSuffix(w.source.Repo, "/") + "/index.yaml"
	options := []getter.Option{getter.WithURL(w.source.Repo)}
	if password != "" {
		options = append(options, getter.WithBasicAuth(user, password))
	}
	data, err := get.Get(address, options...)
	if err != nil {
		return nil, w.unavailable(err)
	}
	file, err := os.CreateTemp("", "refit-index-*.yaml")
	if err != nil {
		return nil, w.unavailable(err)
	}
	defer func() { _ = os.Remove(file.Name()) }() // it lies in a folder that is emptied
	_, err = io.Copy(file, data)
	if err = cmp.Or(err, file.Close()); err != nil {
		return nil, w.unavailable(err)
	}
	index, err := repo.LoadIndexFile(file.Name())
	if err != nil {
		return nil, refused(reasonChartUnavailable, "correct the address of the repository",
			fmt.Errorf("fetch %s: the server has no list of charts there", w))
	}
	return index, nil
}

// pull gets a chart from a registry.
func (w wanted) pull(user, password string) ([]byte, error) {
	options := []registry.ClientOption{registry.ClientOptWriter(io.Discard)}
	if password != "" {
		options = append(options, registry.ClientOptBasicAuth(user, password))
	}
	if w.source.PlainHTTP {
		options = append(options, registry.ClientOptPlainHTTP())
	}
	client, err := registry.NewClient(options...)
	if err != nil {
		return nil, w.unavailable(err)
	}
	reference := strings.TrimPrefix(w.source.OCI, registry.OCIScheme+"://") + ":" + w.version
	result, err := client.Pull(reference)
	if err != nil && strings.Contains(err.Error(), "not found") {
		return nil, refused(reasonChartNotFound, "correct address and version",
			fmt.Errorf("find %s: the registry has no such chart", w))
	}
	if err != nil {
		return nil, w.unavailable(err)
	}
	return result.Chart.Data, w.verify(result.Chart.Data, "")
}

// unavailable says that a chart could not be fetched.
func (w wanted) unavailable(err error) error {
	failed := refused(reasonChartUnavailable, "is the address right, and the server up?",
		fmt.Errorf("fetch %s: %w", w, err))
	failed.Retryable = true
	text := err.Error()
	if strings.Contains(text, "401 Unauthorized") || strings.Contains(text, "403 Forbidden") ||
		strings.Contains(text, "response status code 401") || strings.Contains(text, "response status code 403") {
		failed.Reason, failed.Remedy = action.ReasonAccessRefused, "correct chartUser and chartPassword"
	}
	return failed
}

// isAt tells whether a release has the chart that is asked for. Charts that are fetched
// are known by their version, those of this machine by what they hold.
func (w wanted) isAt(ctx context.Context, env action.Env, have *chartv2.Chart) (bool, error) {
	if w.source.Path == "" {
		name := w.source.Name
		if name == "" {
			name = w.source.OCI[strings.LastIndex(w.source.OCI, "/")+1:]
		}
		return have.Metadata.Name == name &&
			strings.TrimPrefix(have.Metadata.Version, "v") == strings.TrimPrefix(w.version, "v"), nil
	}
	want, err := w.load(ctx, env)
	if err != nil {
		return false, err
	}
	return sameChart(want, have), nil
}

func sameChart(a, b *chartv2.Chart) bool {
	if a.Metadata.Name != b.Metadata.Name || a.Metadata.Version != b.Metadata.Version ||
		len(a.Dependencies()) != len(b.Dependencies()) || !sameFiles(a.Templates, b.Templates) ||
		!sameFiles(a.Files, b.Files) || !bytes.Equal(a.Schema, b.Schema) {
		return false
	}
	x, errX := plainMap(a.Values)
	y, errY := plainMap(b.Values)
	if errX != nil || errY != nil || !action.Equal(x, y) {
		return false
	}
	for i, d := range a.Dependencies() {
		if !sameChart(d, b.Dependencies()[i]) {
			return false
		}
	}
	return true
}

func sameFiles(a, b []*common.File) bool {
	files := map[string][]byte{}
	for _, f := range a {
		files[f.Name] = f.Data
	}
	for _, f := range b {
		if data, ok := files[f.Name]; !ok || !bytes.Equal(data, f.Data) {
			return false
		}
		delete(files, f.Name)
	}
	return len(files) == 0
}
