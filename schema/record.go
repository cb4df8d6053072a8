package schema

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
)

// ErrNoHarbor says that a database holds no Harbor. Recorded returns it
// wrapped in a fault that says what is there instead.
var ErrNoHarbor = errors.New("no Harbor database")

// maxRows bounds how many version rows are read; one is right.
const maxRows = 100

// Record is what a database says of its own version, without any look at
// whether that is true.
type Record struct {
	Engine database.Engine `json:"engine"`
	// Schema is the schema that the record was read from: the one that
	// Harbor would use if it holds Harbor's tables, else the only one that
	// does. Schemas are all that do; more than one is a fault of its own.
	Schema  string   `json:"schema,omitempty"`
	Schemas []string `json:"schemas,omitempty"`
	// CurrentSchema is where a core that connected as this role would look:
	// the first schema of the search path that exists, "" for none.
	CurrentSchema string `json:"current_schema,omitempty"`
	// Table reports that schema_migrations exists, Rows what is in it, in
	// the order of the versions. Harbor keeps exactly one row; none is a
	// fresh database.
	Table bool  `json:"table"`
	Rows  []Row `json:"rows"`
	// HasDirty is false where schema_migrations is Notary's, which has the
	// version alone. HasDataVersion is true in Harbor 2.0.
	HasDirty       bool `json:"has_dirty"`
	HasDataVersion bool `json:"has_data_version"`
	// Alembic are the values in alembic_version: the version up to Harbor
	// 1.5, and 1.6.0 for ever after.
	AlembicTable bool     `json:"alembic_table"`
	Alembic      []string `json:"alembic_version"`
	// Tables counts Harbor's own tables there, the two above left out. 0
	// is a database in which no Harbor has ever started, or an empty one
	// that a database image made beside the real one.
	Tables int `json:"harbor_tables"`
	// Notary reports that Notary's tables are in the same schema.
	Notary bool `json:"notary"`
}

// Row is one row of schema_migrations. Version is as recorded: it may be one
// that no release has, even a negative one.
type Row struct {
	Version     Version `json:"version"`
	Dirty       bool    `json:"dirty"`
	DataVersion *int    `json:"data_version,omitempty"` // Harbor 2.0 only
	// NullVersion and NullDirty are for a table that has lost its
	// constraints: the value is NULL, and no core can read the row.
	NullVersion bool `json:"null_version,omitempty"`
	NullDirty   bool `json:"null_dirty,omitempty"`
}

// One returns the one row of a record that has exactly one.
func (r Record) One() (Row, bool) {
	if len(r.Rows) != 1 {
		return Row{}, false
	}
	return r.Rows[0], true
}

// AlembicValue returns the version of the MySQL era where exactly one is
// recorded.
func (r Record) AlembicValue() (string, bool) {
	if r.Engine != database.MySQL || len(r.Alembic) != 1 {
		return "", false
	}
	return r.Alembic[0], true
}

// String is the record in a few words, such as "12", "50, dirty" or "no row".
func (r Record) String() string {
	if r.Engine == database.MySQL {
		return describeValues(r.AlembicTable, "alembic_version", r.Alembic)
	}
	texts := make([]string, len(r.Rows))
	for i, row := range r.Rows {
		texts[i] = row.String()
	}
	return describeValues(r.Table, "schema_migrations", texts)
}

// String is the row in a few words.
func (r Row) String() string {
	version := r.Version.String()
	if r.NullVersion {
		version = "NULL"
	}
	switch {
	case r.NullDirty:
		return version + ", dirty NULL"
	case r.Dirty:
		return version + ", dirty"
	}
	return version
}

// readable reports whether a core can read the row.
func (r Row) readable() bool { return !r.NullVersion && !r.NullDirty }

func describeValues(table bool, name string, values []string) string {
	switch {
	case !table:
		return "no table " + name
	case len(values) == 0:
		return "no row"
	case len(values) == 1:
		return values[0]
	}
	return fmt.Sprintf("%d rows: %s", len(values), strings.Join(values, "; "))
}

// Releases returns the releases whose version the record names: those whose
// highest migration it is, or that write that alembic_version; none where the
// record is not one row of a released version.
func (r Record) Releases() []Release {
	if v, ok := r.AlembicValue(); ok {
		return ReleasesAtAlembic(v)
	}
	if row, ok := r.One(); ok && row.readable() && r.Engine == database.PostgreSQL {
		return ReleasesAt(row.Version)
	}
	return nil
}

// Recorded reads what the database says of its version. A database without
// Harbor is a fault of kind Failed that wraps ErrNoHarbor. It takes no lock
// that a running Harbor would notice.
func Recorded(ctx context.Context, q database.Querier, e database.Engine) (Record, error) {
	rec, err := dialectOf(e).recorded(ctx, q)
	if err != nil {
		return Record{}, fmt.Errorf("reading the recorded schema version: %w", err)
	}
	return rec, nil
}

// harborTables are tables of every release since 1.6; those of before are
// told by the MySQL dialect. Together they tell Harbor from other programs
// that use golang-migrate.
const harborTables = `'harbor_user', 'project', 'project_member', 'project_metadata', 'access', 'role', 'repository', 'replication_policy', 'properties'`

// pgPlaces lists the schemas that hold any table of interest, Harbor's own
// choice (current_schema) first.
const pgPlaces = `
select n.nspname::text,
  count(*) filter (where c.relname in (` + harborTables + `)),
  coalesce(bool_or(c.relname = 'harbor_user'), false),
  coalesce(bool_or(c.relname = 'schema_migrations'), false),
  coalesce(bool_or(c.relname = 'alembic_version'), false),
  coalesce(bool_or(c.relname in ('tuf_files', 'private_keys')), false),
  count(*) filter (where c.relname not in ('schema_migrations', 'alembic_version'))
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
group by n.nspname
having bool_or(c.relname in (` + harborTables + `, 'schema_migrations', 'alembic_version', 'tuf_files', 'private_keys'))
order by n.nspname is distinct from pg_catalog.current_schema(), n.nspname`

// place is a schema that may hold Harbor.
type place struct {
	schema                      string
	tables, all                 int // Harbor's tables of every release; all but those of the version
	users, row, alembic, notary bool
}

// harbor reports whether the place holds Harbor's tables. Single ones have
// names that other programs use, too; both version tables together are
// Harbor's alone.
func (p place) harbor() bool {
	return p.users || p.tables >= 5 || p.tables > 0 && p.row && p.alembic
}

func recordedPostgres(ctx context.Context, q database.Querier) (Record, error) {
	places, err := pgPlacesHere(ctx, q)
	if err != nil {
		return Record{}, err
	}
	rec := Record{Engine: database.PostgreSQL, Rows: []Row{}, Alembic: []string{}}
	if err := q.QueryRowContext(ctx, `select coalesce(pg_catalog.current_schema()::text, '')`).Scan(&rec.CurrentSchema); err != nil {
		return Record{}, err
	}
	for _, p := range places {
		if p.harbor() {
			rec.Schemas = append(rec.Schemas, p.schema)
		}
	}
	at := slices.IndexFunc(places, place.harbor)
	if at < 0 {
		at = slices.IndexFunc(places, func(p place) bool { return p.row && !p.notary })
	}
	if at < 0 {
		return Record{}, noHarborIn(places)
	}
	p := places[at]
	rec.Schema, rec.Tables, rec.Table, rec.AlembicTable, rec.Notary = p.schema, p.tables, p.row, p.alembic, p.notary
	if err := readVersionRows(ctx, q, &rec); err != nil {
		return Record{}, err
	}
	if !p.harbor() && !rec.bare(p) {
		return Record{}, noHarborIn(places)
	}
	return rec, nil
}

// bare reports whether the place holds Harbor's version table and nothing
// else: a database image has just made it, or migration 1 failed, or all the
// rest is lost.
func (r Record) bare(p place) bool {
	known := !slices.ContainsFunc(r.Rows, func(row Row) bool { return !row.Version.Known() })
	return r.HasDirty && known && p.all == 0
}

func pgPlacesHere(ctx context.Context, q database.Querier) ([]place, error) {
	rows, err := q.QueryContext(ctx, pgPlaces)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []place
	for rows.Next() {
		var p place
		if err := rows.Scan(&p.schema, &p.tables, &p.users, &p.row, &p.alembic, &p.notary, &p.all); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, rows.Err()
}

// noHarborIn says what a database without Harbor is instead.
func noHarborIn(places []place) error {
	if slices.ContainsFunc(places, func(p place) bool { return p.notary }) {
		return fault.Failedf("this is Notary's database, %w", ErrNoHarbor).WithHint("name Harbor's own database, usually registry")
	}
	if len(places) == 0 {
		return fault.Failedf("none of Harbor's tables is here, %w", ErrNoHarbor).
			WithHint("check the database name (Harbor's is usually registry); if it is right, no Harbor has started on it yet, or a database image found no data folder that it knows and made an empty one beside the real one")
	}
	if !slices.ContainsFunc(places, func(p place) bool { return p.row }) {
		return fault.Failedf("tables with some of Harbor's names are here, but too few for any release, %w", ErrNoHarbor).
			WithHint("check the database name; if it is right, a restore has stopped early: restore again")
	}
	return fault.Failedf("another program's schema_migrations is here, %w", ErrNoHarbor).WithHint("check the database name; Harbor's is usually registry")
}

// readVersionRows reads schema_migrations and alembic_version of rec.Schema.
func readVersionRows(ctx context.Context, q database.Querier, rec *Record) error {
	alembic, err := postgresMayRead(ctx, q, *rec, "alembic_version")
	if err != nil {
		return fmt.Errorf("table alembic_version: %w", err)
	}
	if alembic {
		values, err := column[string](ctx, q, fmt.Sprintf(`select version_num::text from %s.alembic_version order by 1 limit %d`, database.PostgreSQL.QuoteIdent(rec.Schema), maxRows))
		if err != nil {
			return fmt.Errorf("table alembic_version: %w", err)
		}
		rec.Alembic = values
	}
	if !rec.Table {
		return nil
	}
	cols, err := column[string](ctx, q, `select a.attname::text from pg_catalog.pg_attribute a
		join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		where n.nspname = $1 and c.relname = 'schema_migrations' and a.attnum > 0 and not a.attisdropped`, rec.Schema)
	if err != nil {
		return fmt.Errorf("table schema_migrations: %w", err)
	}
	rec.HasDirty = slices.Contains(cols, "dirty")
	rec.HasDataVersion = slices.Contains(cols, "data_version")
	if rec.Rows, err = readRows(ctx, q, *rec); err != nil {
		return fmt.Errorf("table schema_migrations: %w", err)
	}
	return nil
}

func readRows(ctx context.Context, q database.Querier, rec Record) ([]Row, error) {
	dirty, data := "false", "null::int"
	if rec.HasDirty {
		dirty = "dirty"
	}
	if rec.HasDataVersion {
		data = "data_version"
	}
	rows, err := q.QueryContext(ctx, fmt.Sprintf(`select version, %s, %s from %s.schema_migrations order by 1, 2 limit %d`,
		dirty, data, database.PostgreSQL.QuoteIdent(rec.Schema), maxRows))
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	list := []Row{}
	for rows.Next() {
		var version, data sql.NullInt64
		var dirty sql.NullBool
		if err := rows.Scan(&version, &dirty, &data); err != nil {
			return nil, err
		}
		r := Row{Version: Version(version.Int64), Dirty: dirty.Bool, NullVersion: !version.Valid, NullDirty: !dirty.Valid}
		if data.Valid {
			n := int(data.Int64)
			r.DataVersion = &n
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// recordedMySQL reads alembic_version. Harbor 0.1 had none, and a database of
// it is told by its tables alone.
func recordedMySQL(ctx context.Context, q database.Querier) (Record, error) {
	names, err := column[string](ctx, q, `select table_name from information_schema.tables
		where table_schema = database() and table_name in ('user', 'project', 'role', 'access', 'access_log', 'properties', 'repository', 'alembic_version')`)
	if err != nil {
		return Record{}, err
	}
	rec := Record{Engine: database.MySQL, Rows: []Row{}, Alembic: []string{}, AlembicTable: slices.Contains(names, "alembic_version")}
	rec.Tables = len(names)
	if rec.AlembicTable {
		rec.Tables--
	}
	if !slices.Contains(names, "project") || rec.Tables < 4 {
		return Record{}, fault.Failedf("Harbor's tables are not here, %w", ErrNoHarbor).WithHint("check the database name; Harbor's is usually registry")
	}
	if rec.AlembicTable {
		if rec.Alembic, err = column[string](ctx, q, fmt.Sprintf(`select version_num from alembic_version order by 1 limit %d`, maxRows)); err != nil {
			return Record{}, fmt.Errorf("table alembic_version: %w", err)
		}
	}
	return rec, nil
}
