package target

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/refitproject/refit/internal/action"
	"github.com/refitproject/refit/internal/schema"
)

// KindHost is the kind of target that is the machine on which Refit runs. Its
// entry in the platform file needs nothing but the kind.
const KindHost = "host"

// HostSource is where the identity of a machine is read.
type HostSource struct {
	// MachineIDFile holds the id that the system made when it was installed.
	MachineIDFile string
	// Hostname gives the name of the machine.
	Hostname func() (string, error)
}

// ThisHost is the machine that the program runs on: /etc/machine-id and its
// host name.
func ThisHost() HostSource {
	return HostSource{MachineIDFile: "/etc/machine-id", Hostname: os.Hostname}
}

type host struct{ source HostSource }

// Host returns the kind host. The identity is made from the machine id, which
// outlives a change of the name; machines without one are told apart by their
// host name. The machine id itself is confidential and does not leave this
// package: a keyed hash of it does.
func Host(source HostSource) action.TargetKind { return host{source} }

// Kind implements action.TargetKind.
func (host) Kind() string { return KindHost }

// Config implements action.Configured.
func (host) Config() schema.Type { return schema.ObjectOf(map[string]schema.Field{}) }

// Identify implements action.TargetKind.
func (h host) Identify(_ context.Context, env action.Env) (string, error) {
	if err := checkKeys(env.Target); err != nil {
		return "", err
	}
	// A file that cannot be read is no error: containers often have none.
	id, _ := os.ReadFile(h.source.MachineIDFile)
	if machineID := strings.TrimSpace(string(id)); regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(machineID) {
		mac := hmac.New(sha256.New, []byte(machineID))
		mac.Write([]byte("refit target host"))
		return "machine-id-hash:" + hex.EncodeToString(mac.Sum(nil)[:16]), nil
	}
	name, err := h.source.Hostname()
	if err == nil && name == "" {
		err = errors.New("the host name is empty")
	}
	if err != nil {
		return "", &action.Error{
			Reason: reasonNoIdentity, Effect: action.ExtentNone, Remedy: "give the machine a name or a machine id",
			Err: fmt.Errorf("identify the host of target %q: %w", env.Target.Name, err),
		}
	}
	return "hostname:" + name, nil
}
