package database

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
)

// rights returns what the user may not do. To change a table or drop it needs that one
// is its owner, or a member of the role that is: no GRANT on the table gives that.
func (p *postgres) rights(ctx context.Context, purposes []string) (missing []Missing, err error) {
	err = p.within(ctx, p.at.Name, "look at the rights of user "+p.at.User, func(conn *pgx.Conn) error {
		for _, purpose := range purposes {
			found, err := p.lacks(ctx, conn, purpose)
			if err != nil {
				return err
			}
			missing = append(missing, found...)
		}
		return nil
	})
	return missing, err
}

// userTables are the tables, views and sequences of users.
const userTables = ` FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND NOT EXISTS (SELECT 1 FROM pg_depend d
	WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') `

func (p *postgres) lacks(ctx context.Context, conn *pgx.Conn, purpose string) ([]Missing, error) {
	queries := map[string][]string{
		toMigrate: {
			`SELECT r, 'database ' || current_database(),
				'GRANT ' || r || ' ON DATABASE ' || quote_ident(current_database()) ||
				' TO ' || quote_ident(current_user)
				FROM unnest(ARRAY['CONNECT', 'TEMPORARY']) r WHERE NOT has_database_privilege(current_database(), r)`,
			`SELECT r, 'schema ' || s,
				'GRANT ' || r || ' ON SCHEMA ' || quote_ident(s) || ' TO ' || quote_ident(current_user)
				FROM unnest(ARRAY['USAGE', 'CREATE']) r, 
				(SELECT DISTINCT n.nspname s` + userTables + `AND c.relkind IN ('r', 'p')
				UNION SELECT nspname FROM pg_namespace WHERE nspname = 'public') x
				WHERE NOT has_schema_privilege(s, r) ORDER BY 2, 1`,
			`SELECT 'ALTER and DROP (ownership)', 'table ' || n.nspname || '.' || c.relname,
				'ALTER TABLE ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname) ||
				' OWNER TO ' || quote_ident(current_user)` +
				userTables + `AND c.relkind IN ('r', 'p') AND NOT pg_has_role(c.relowner, 'USAGE') ORDER BY 2`,
			`SELECT r, 'table ' || n.nspname || '.' || c.relname,
				'GRANT ' || r || ' ON TABLE ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname) ||
				' TO ' || quote_ident(current_user)
				FROM (SELECT unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) r) x,
				LATERAL (SELECT c.oid, c.relname, n.nspname` + userTables + `AND c.relkind IN ('r', 'p')) c,
				LATERAL (SELECT c.nspname) n WHERE NOT has_table_privilege(c.oid, r) ORDER BY 2, 1`,
		},
		toBackup: {
			`SELECT 'USAGE', 'schema ' || s,
				'GRANT USAGE ON SCHEMA ' || quote_ident(s) || ' TO ' || quote_ident(current_user)
				FROM (SELECT DISTINCT n.nspname s` + userTables + `) x
				WHERE NOT has_schema_privilege(s, 'USAGE') ORDER BY 2`,
			`SELECT 'SELECT',
				CASE c.relkind WHEN 'S' THEN 'sequence ' ELSE 'table ' END || n.nspname || '.' || c.relname,
				'GRANT SELECT ON ' || CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END ||
				quote_ident(n.nspname) || '.' || quote_ident(c.relname) || ' TO ' || quote_ident(current_user)` +
				userTables + `AND c.relkind IN ('r', 'p', 'S') AND NOT has_table_privilege(c.oid, 'SELECT') ORDER BY 2`,
			needsCreate,
		},
		toRestore: {
			`SELECT 'ownership', 'database ' || datname,
				'ALTER DATABASE ' || quote_ident(datname) || ' OWNER TO ' || quote_ident(current_user)
				FROM pg_database WHERE datname = current_database() AND NOT pg_has_role(datdba, 'USAGE')`,
			needsCreate,
		},
	}
	var missing []Missing
	for _, query := range queries[purpose] {
		rows, err := conn.Query(ctx, query)
		if err != nil {
			return nil, err
		}
		found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Missing, error) {
			m := Missing{For: purpose}
			return m, row.Scan(&m.Privilege, &m.On, &m.Grant)
		})
		if err != nil {
			return nil, err
		}
		missing = append(missing, slices.DeleteFunc(found, func(m Missing) bool {
			return slices.Contains(missing, m)
		})...)
	}
	return missing, nil
}

// needsCreate asks whether the user may make databases: one to restore a backup into,
// for its proof and before it takes the place of the one in use.
const needsCreate = `SELECT 'CREATEDB', 'server', 'ALTER ROLE ' || quote_ident(current_user) || ' CREATEDB'
	FROM pg_roles WHERE rolname = current_user AND NOT rolcreatedb AND NOT rolsuper`
