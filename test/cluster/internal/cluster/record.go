package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/refitproject/refit/test/cluster/internal/component"
	"github.com/refitproject/refit/test/cluster/internal/keeper"
	"github.com/refitproject/refit/test/cluster/internal/node"
	"github.com/refitproject/refit/test/cluster/internal/place"
	"github.com/refitproject/refit/test/cluster/internal/proc"
)

// Record is what a cluster's folder says of it.
type Record struct {
	Spec component.Spec `json:"spec"`
	// Complete is false while the cluster comes up.
	Complete bool `json:"complete"`
}

// readRecord returns fs.ErrNotExist when there is no such cluster.
func readRecord(c place.Cluster) (Record, error) {
	var r Record
	err := place.ReadJSON(c.Path("cluster.json"), &r)
	return r, err
}

func writeRecord(c place.Cluster, r Record) error { return place.WriteJSON(c.Path("cluster.json"), r) }

// readKeeper returns the keeper of a cluster, whether it lives or not.
func readKeeper(c place.Cluster) (proc.Identity, error) {
	var id proc.Identity
	err := place.ReadJSON(c.Path("keeper.json"), &id)
	return id, err
}

// readStates returns how the components are; none before the first has begun.
func readStates(c place.Cluster) ([]keeper.State, error) {
	var all []keeper.State
	err := place.ReadJSON(c.Path("components.json"), &all)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return all, err
}

// remove takes away all that a cluster is and has, in whatever state it is: the
// keeper first, with which all processes, mounts and rules go. The caller has
// the lock.
func remove(ctx context.Context, c place.Cluster) error {
	if err := keeper.Stop(ctx, c.Path("keeper.json"), c.Path("components.json")); err != nil {
		return fmt.Errorf("cluster %q: %w", c.Name, err)
	}
	r, err := readRecord(c)
	if err == nil && r.Spec.Mode == component.Containers {
		err = errors.Join(node.Disconnect(node.Link(c.Name)), node.RemoveCgroup(r.Spec.Cgroup()))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cluster %q: %w", c.Name, err)
	}
	// The folder is renamed first: half a folder must not look like a cluster.
	gone := c.Dir + ".removed"
	if err := os.RemoveAll(gone); err != nil {
		return fmt.Errorf("cluster %q: remove its folder: %w", c.Name, err)
	}
	if err := os.Rename(c.Dir, gone); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cluster %q: remove its folder: %w", c.Name, err)
	}
	if err := os.RemoveAll(gone); err != nil {
		return fmt.Errorf("cluster %q: remove its folder: %w", c.Name, err)
	}
	return nil
}
