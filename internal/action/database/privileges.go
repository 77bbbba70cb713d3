package database

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/refitproject/refit/internal/action"
)

// What a user may have to do.
const (
	toMigrate = "migrate"
	toBackup  = "backup"
	toRestore = "restore"
)

// PrivilegesInput is the input of database.check-privileges.
type PrivilegesInput struct {
	Database Connection       `json:"database" doc:"The database, and the user whose rights are asked for."`
	Password action.SecretRef `json:"password,omitempty" refit:"secret" doc:"Password of the user; without it none is given. SQLite has none, and it is not read."`
	For      []string         `json:"for,omitempty" doc:"What the user will do: migrate (change the schema: the default), backup (save and prove), restore."`
}

// Missing is a right that a user has not.
type Missing struct {
	Privilege string `json:"privilege" doc:"What it is called."`
	On        string `json:"on" doc:"Object that it is missing on."`
	For       string `json:"for" doc:"What it is needed for."`
	Grant     string `json:"grant" doc:"Statement that grants it."`
}

// PrivilegesOutput is the output of database.check-privileges.
type PrivilegesOutput struct {
	User     string    `json:"user" doc:"The user."`
	Complete bool      `json:"complete" doc:"Tells that no right is missing. Always true: with one missing the check fails."`
	Missing  []Missing `json:"missing" doc:"Rights that are missing."`
}

// CheckPrivileges returns the action database.check-privileges.
func CheckPrivileges(w World) action.Action {
	return action.Define(action.Definition[PrivilegesInput, PrivilegesOutput]{
		Name:    "database.check-privileges",
		Version: 1,
		Summary: "Check that a user may do to a database what an upgrade has to do.",
		Effect:  action.ReadOnly,
		Targets: targets(),
		Check: func(in PrivilegesInput) error {
			for _, purpose := range in.For {
				if !slices.Contains([]string{toMigrate, toBackup, toRestore}, purpose) {
					return fmt.Errorf("field \"for\" has %q, needs migrate, backup or restore", purpose)
				}
			}
			if in.Database.Engine == engineSQLite {
				return errors.New("field \"database.engine\": a file of SQLite has no users")
			}
			return in.Database.check()
		},
		Preview: func(_ context.Context, _ action.Env, in PrivilegesInput) (action.Preview, error) {
			return action.Preview{
				Summary: fmt.Sprintf("check the rights of %q on %s", in.Database.User, in.Database),
			}, nil
		},
		Observe: w.observePrivileges,
		Access: func(_ context.Context, _ action.Env, in PrivilegesInput) ([]action.Access, error) {
			return in.Database.access(), nil
		},
	})
}

func (w World) observePrivileges(
	ctx context.Context, env action.Env, in PrivilegesInput,
) (action.Observed[PrivilegesOutput], error) {
	db, end, err := w.open(ctx, env, in.Database, in.Password)
	if err != nil {
		return action.Observed[PrivilegesOutput]{}, err
	}
	defer end()
	purposes := in.For
	if len(purposes) == 0 {
		purposes = []string{toMigrate}
	}
	missing, err := db.rights(ctx, purposes)
	if err != nil {
		return action.Observed[PrivilegesOutput]{}, action.WithExtent(err, action.ExtentNone)
	}
	if len(missing) == 0 {
		return action.Saw(PrivilegesOutput{User: in.Database.User, Complete: true, Missing: []Missing{}}), nil
	}
	var texts, grants []string
	for _, m := range missing {
		texts = append(texts, fmt.Sprintf("%s on %s", m.Privilege, m.On))
		if !slices.Contains(grants, m.Grant) {
			grants = append(grants, m.Grant)
		}
	}
	return action.Observed[PrivilegesOutput]{
		Status: action.Failed,
		Reason: fmt.Sprintf("user %q of %s lacks %s: let its administrator run: %s", in.Database.User, in.Database,
			few(texts), strings.Join(grants, "; ")),
	}, nil
}
