// Package pki makes the authorities, certificates and key files of one cluster.
// Nothing of it is of use to another cluster.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"path/filepath"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/refitproject/refit/test/cluster/internal/place"
)

// life is how long certificates are valid: longer than any cluster lives.
const life = 365 * 24 * time.Hour

// Authority signs certificates. Its own certificate is in Dir as NAME.crt.
type Authority struct {
	Dir  string
	Name string

	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	now  time.Time
}

// Subject says whom a certificate is for.
type Subject struct {
	// Name is the user or the server.
	Name string
	// Groups are the groups of a user.
	Groups []string
	// Hosts are the names of a server, Addresses its addresses.
	Hosts     []string
	Addresses []netip.Addr
}

// NewAuthority makes an authority and writes its certificate, not its key.
func NewAuthority(dir, name string, now time.Time) (*Authority, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	a := &Authority{Dir: dir, Name: name, key: key, now: now}
	template, err := a.template(pkix.Name{CommonName: name})
	if err != nil {
		return nil, err
	}
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	a.cert = template
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign authority %q: %w", name, err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("sign authority %q: %w", name, err)
	}
	return a, writePEM(filepath.Join(dir, name+".crt"), "CERTIFICATE", der)
}

// WriteKey writes the key of the authority to NAME.key: for the controllers that
// sign in its name.
func (a *Authority) WriteKey() error { return writeKey(filepath.Join(a.Dir, a.Name+".key"), a.key) }

// Issue writes FILE.crt and FILE.key for a subject, who may be client and
// server.
func (a *Authority) Issue(file string, s Subject) error {
	key, err := newKey()
	if err != nil {
		return err
	}
	template, err := a.template(pkix.Name{CommonName: s.Name, Organization: s.Groups})
	if err != nil {
		return err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if len(s.Hosts)+len(s.Addresses) > 0 {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	template.DNSNames = s.Hosts
	for _, addr := range s.Addresses {
		template.IPAddresses = append(template.IPAddresses, net.IP(addr.AsSlice()))
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return fmt.Errorf("sign a certificate for %q: %w", s.Name, err)
	}
	if err := writePEM(filepath.Join(a.Dir, file+".crt"), "CERTIFICATE", der); err != nil {
		return err
	}
	return writeKey(filepath.Join(a.Dir, file+".key"), key)
}

// template is what all certificates have in common. They are valid a little
// before now, for clocks that differ.
func (a *Authority) template(name pkix.Name) (*x509.Certificate, error) {
	const bits = 100
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), bits))
	if err != nil {
		return nil, fmt.Errorf("choose a serial number: %w", err)
	}
	return &x509.Certificate{
		SerialNumber: serial, Subject: name, NotBefore: a.now.Add(-time.Hour), NotAfter: a.now.Add(life),
	}, nil
}

// WriteSigningKey writes DIR/NAME.key and its public half NAME.pub, with which
// tokens of service accounts are signed.
func WriteSigningKey(dir, name string) error {
	key, err := newKey()
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return fmt.Errorf("write a public key: %w", err)
	}
	if err := writePEM(filepath.Join(dir, name+".pub"), "PUBLIC KEY", der); err != nil {
		return err
	}
	return writeKey(filepath.Join(dir, name+".key"), key)
}

// Kubeconfig is a way to reach a cluster.
type Kubeconfig struct {
	// Cluster is what people see.
	Cluster string
	// Server is the address of the API server.
	Server string
	// CA, Cert and Key are files; their content goes into the kubeconfig.
	CA, Cert, Key string
}

// Write writes the kubeconfig to a file that only its owner can read.
func (k Kubeconfig) Write(name string, read func(string) ([]byte, error)) error {
	config := clientapi.NewConfig()
	cluster, user := clientapi.NewCluster(), clientapi.NewAuthInfo()
	cluster.Server = k.Server
	for file, into := range map[string]*[]byte{
		k.CA: &cluster.CertificateAuthorityData, k.Cert: &user.ClientCertificateData, k.Key: &user.ClientKeyData,
	} {
		text, err := read(file)
		if err != nil {
			return fmt.Errorf("read %q for a kubeconfig: %w", file, err)
		}
		*into = text
	}
	context := clientapi.NewContext()
	context.Cluster, context.AuthInfo = k.Cluster, k.Cluster
	config.Clusters[k.Cluster], config.AuthInfos[k.Cluster] = cluster, user
	config.Contexts[k.Cluster], config.CurrentContext = context, k.Cluster
	text, err := clientcmd.Write(*config)
	if err != nil {
		return fmt.Errorf("write a kubeconfig: %w", err)
	}
	return place.WriteFile(name, text, 0o600)
}

func newKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return key, nil
}

func writeKey(name string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return fmt.Errorf("write a key: %w", err)
	}
	return writePEM(name, "EC PRIVATE KEY", der)
}

func writePEM(name, kind string, der []byte) error {
	return place.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
