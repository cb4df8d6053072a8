package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/harbordb/harbordb/snapshots/pgmodel"
)

// rowQuerier reads rows: *pgx.Conn or pgx.Tx.
type rowQuerier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

var (
	_ rowQuerier = (*pgx.Conn)(nil)
	_ rowQuerier = (pgx.Tx)(nil)
)

// ReadCatalog reads the catalog of the database that q is connected to,
// whatever the server's major from 9.6 on. The caller has begun a transaction
// in which search_path is empty and the client encoding UTF8, and has locked
// the tables: what the server prints of a view or an index is its current
// state and not the transaction's snapshot. Only locks, and a comparison with
// what a transaction begun later reads, prove that both are the same. Objects
// that a model cannot hold are in Unsupported.
func ReadCatalog(ctx context.Context, q rowQuerier) (*pgmodel.Model, error) {
	m, err := readCatalog(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("read the catalog: %w", err)
	}
	return m, nil
}

func readCatalog(ctx context.Context, q rowQuerier) (*pgmodel.Model, error) {
	c := newCatalog(q)
	for _, read := range []func(context.Context) error{
		c.readServer, c.readDependencies, c.readInventory, c.readDetails, // what belongs to any kind
		c.readSchemas, c.readExtensions, c.readFunctions, c.readSequences,
		c.readRelations, c.readColumns, c.readChecks, c.readForeignKeys, c.readIndexes, c.readTriggers,
		c.readStatistics, c.readDefaultPrivileges, c.readSystemPrivileges, c.readDatabase,
		c.sweep, // what nobody has claimed
	} {
		if err := read(ctx); err != nil {
			return nil, err
		}
	}
	return c.assemble()
}

// query runs sql and returns its rows.
func query[T any](ctx context.Context, q rowQuerier, sql string, scan pgx.RowToFunc[T]) ([]T, error) {
	rows, err := q.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scan)
}

// load runs sql and hands each row to take, in order. The columns of sql are
// named like the fields of T.
func load[T any](ctx context.Context, c *catalog, what, sql string, take func(T)) error {
	rows, err := query(ctx, c.q, sql, pgx.RowToStructByName[T])
	var null pgx.ScanArgError
	if errors.As(err, &null) {
		// What pg_get_…def returns for an object that its transaction still
		// sees and that is gone.
		return fmt.Errorf("%s: an object was dropped while it was being read: %w", what, err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	for _, r := range rows {
		take(r)
	}
	return nil
}

// objectID is what the server identifies an object by: the system catalog
// that it has a row in, and its OID there.
type objectID struct {
	class string
	oid   uint32
}

// partID is an object or, with sub > 0, one column of it.
type partID struct {
	objectID
	sub int32
}

// catalog is a catalog on its way into a model. Reading goes kind by kind;
// each object that a reader takes is claimed, with the reference by which
// others depend on it. What is left unclaimed in the end is unsupported.
type catalog struct {
	q      rowQuerier
	server int // server_version_num

	inventory map[objectID]entry
	edges     map[objectID][]edge
	skipped   map[objectID]bool // members of extensions, temporary objects
	claims    map[objectID]pgmodel.Ref
	left      map[objectID]bool // unclaimed
	comments  map[partID]string
	acls      map[partID]pgmodel.ACL

	database     pgmodel.Database
	schemas      []schemaRow
	extensions   []extensionRow
	config       map[uint32][]configRow // by extension
	functions    []functionRow
	sequences    []sequenceRow
	relations    []relationRow
	columns      map[uint32][]columnRow // by relation
	columnOf     map[uint32]pgmodel.ColumnRef
	checks       map[uint32][]checkRow
	foreignKeys  map[uint32][]foreignKeyRow
	indexes      map[uint32][]indexRow
	indexTargets map[uint32][]pgmodel.IndexStatistics // by index
	triggers     map[uint32][]triggerRow
	statistics   []statisticsRow
	defaults     []defaultPrivilegeRow

	unsupported []pgmodel.Object
	notes       []pgmodel.Note
}

func newCatalog(q rowQuerier) *catalog {
	return &catalog{
		q:         q,
		inventory: map[objectID]entry{}, edges: map[objectID][]edge{},
		skipped: map[objectID]bool{}, claims: map[objectID]pgmodel.Ref{}, left: map[objectID]bool{},
		comments: map[partID]string{}, acls: map[partID]pgmodel.ACL{},
		config: map[uint32][]configRow{}, columns: map[uint32][]columnRow{},
		columnOf: map[uint32]pgmodel.ColumnRef{}, checks: map[uint32][]checkRow{},
		foreignKeys: map[uint32][]foreignKeyRow{}, indexes: map[uint32][]indexRow{},
		indexTargets: map[uint32][]pgmodel.IndexStatistics{}, triggers: map[uint32][]triggerRow{},
	}
}

// since returns sql on a server of at least that version, else otherwise.
func (c *catalog) since(version int, sql, otherwise string) string {
	if c.server >= version {
		return sql
	}
	return otherwise
}

func (c *catalog) readServer(ctx context.Context) error {
	type row struct{ Number int }
	const sql = `SELECT current_setting('server_version_num')::int AS number`
	return load(ctx, c, "server version", sql, func(r row) { c.server = r.Number })
}

// claim says that the object is carried, and how others refer to it.
func (c *catalog) claim(class string, oid uint32, ref pgmodel.Ref) {
	c.claims[objectID{class, oid}] = ref
}

// skip reports whether an object is not the database's own.
func (c *catalog) skip(class string, oid uint32) bool { return c.skipped[objectID{class, oid}] }

// comment takes the comment of an object: what nobody takes is unsupported.
func (c *catalog) comment(class string, oid uint32, sub int32) string {
	id := partID{objectID{class, oid}, sub}
	text := c.comments[id]
	delete(c.comments, id)
	return text
}

func (c *catalog) acl(class string, oid uint32, sub int32) pgmodel.ACL {
	return c.acls[partID{objectID{class, oid}, sub}]
}

func (c *catalog) note(o pgmodel.Object, format string, args ...any) {
	c.notes = append(c.notes, pgmodel.Note{Object: o, Text: fmt.Sprintf(format, args...)})
}

func (c *catalog) refuse(kind pgmodel.Kind, schema, name string) {
	c.unsupported = append(c.unsupported, pgmodel.Object{Kind: kind, Schema: schema, Name: name})
}

func byName(a, b pgmodel.Name) int {
	if n := strings.Compare(a.Schema, b.Schema); n != 0 {
		return n
	}
	return strings.Compare(a.Name, b.Name)
}

func byObject(a, b pgmodel.Object) int {
	return strings.Compare(a.String(), b.String())
}

func compactObjects(list []pgmodel.Object) []pgmodel.Object {
	slices.SortFunc(list, byObject)
	return slices.Compact(list)
}
