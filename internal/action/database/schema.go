package database

import (
	"context"

	"github.com/refitproject/refit/internal/action"
)

// SchemaInput is the input of database.schema.
type SchemaInput struct {
	Database Connection       `json:"database" doc:"The database to look at."`
	Password action.SecretRef `json:"password,omitempty" refit:"secret" doc:"Password of the user; without it none is given. SQLite has none, and it is not read."`
	Identity string           `json:"identity,omitempty" doc:"Identity of the database that is meant; another one is refused."`
}

// Table is one table and what is in it.
type Table struct {
	Name string `json:"name" doc:"Name; with its schema before it and a dot when that is not the usual one."`
	Rows int64  `json:"rows" doc:"Number of rows."`
	// sum is a checksum of what is in it, when it was asked for.
	sum string
}

// SchemaOutput is the output of database.schema.
type SchemaOutput struct {
	Product   string   `json:"product" doc:"PostgreSQL, MariaDB, MySQL or SQLite."`
	Version   string   `json:"version" doc:"Version of the server, of SQLite that of the library in the pod."`
	Identity  string   `json:"identity" doc:"What tells the database from others; it stays when the database is restored."`
	Revisions []string `json:"revisions" doc:"Revisions of the schema, as Alembic has written them into alembic_version; empty without that table."`
	Tables    []Table  `json:"tables" doc:"Tables with the number of their rows, by name."`
	Names     []string `json:"names" doc:"Names of the tables alone."`
	Rows      int64    `json:"rows" doc:"Rows of all tables."`
}

// Schema returns the action database.schema.
func Schema(w World) action.Action {
	return action.Define(action.Definition[SchemaInput, SchemaOutput]{
		Name:    "database.schema",
		Version: 1,
		Summary: "Read the version of a database, the revision of its schema and its tables.",
		Effect:  action.ReadOnly,
		Targets: targets(),
		Check:   func(in SchemaInput) error { return in.Database.check() },
		Preview: func(_ context.Context, _ action.Env, in SchemaInput) (action.Preview, error) {
			return action.Preview{Summary: "look at " + in.Database.String()}, nil
		},
		Observe: w.observeSchema,
		Access: func(_ context.Context, _ action.Env, in SchemaInput) ([]action.Access, error) {
			return in.Database.access(), nil
		},
	})
}

func (w World) observeSchema(
	ctx context.Context, env action.Env, in SchemaInput,
) (action.Observed[SchemaOutput], error) {
	db, end, err := w.open(ctx, env, in.Database, in.Password)
	if err != nil {
		return action.Observed[SchemaOutput]{}, err
	}
	defer end()
	f, err := db.facts(ctx, true)
	if err == nil {
		err = isDatabase(in.Database, in.Identity, f.identity)
	}
	if err != nil {
		return action.Observed[SchemaOutput]{}, action.WithExtent(err, action.ExtentNone)
	}
	out := SchemaOutput{
		Product: f.product, Version: f.version, Identity: f.identity, Revisions: f.revisions, Tables: f.tables,
	}
	for _, t := range f.tables {
		out.Names = append(out.Names, t.Name)
		out.Rows += t.Rows
	}
	return action.Saw(out), nil
}
