package mysql

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/snapshots/mymodel"
)

// ReadCatalog reads the current database of a session as a model. What a
// snapshot cannot carry is in the model's Unsupported.
func ReadCatalog(ctx context.Context, q database.Querier, server database.Server) (*mymodel.Model, error) {
	r := &reader{ctx: ctx, q: q, m: &mymodel.Model{
		Format: mymodel.FormatVersion, SQLMode: sqlMode,
		Server: mymodel.Server{Product: server.Product, Version: server.Version, Number: server.Number},
		Tables: []mymodel.Table{}, Views: []mymodel.View{}, Triggers: []mymodel.Trigger{},
	}}
	r.database()
	r.relations()
	r.columns()
	r.keys()
	r.triggers()
	r.others()
	if r.err != nil {
		return nil, fmt.Errorf("read the catalog: %w", r.err)
	}
	return r.m, nil
}

// reader reads a catalog; after the first error it does nothing.
type reader struct {
	ctx context.Context
	q   database.Querier
	m   *mymodel.Model
	err error
}

func (r *reader) texts(query string, args ...any) [][]string {
	if r.err != nil {
		return nil
	}
	var list [][]string
	if list, r.err = texts(r.ctx, r.q, query, args...); r.err != nil {
		return nil
	}
	return list
}

// one reads a statement that has one row of at least n columns.
func (r *reader) one(n int, query string) []string {
	list := r.texts(query)
	if r.err == nil && (len(list) != 1 || len(list[0]) < n) {
		r.err = fmt.Errorf("%s: the server has no answer", query)
	}
	if r.err != nil {
		return make([]string, n)
	}
	return list[0]
}

func (r *reader) unsupported(kind mymodel.Kind, name, reason string) {
	r.m.Unsupported = append(r.m.Unsupported, mymodel.Object{Kind: kind, Name: name, Reason: reason})
}

func (r *reader) database() {
	line := r.one(2, `SELECT default_character_set_name, default_collation_name
		FROM information_schema.schemata WHERE schema_name = DATABASE()`)
	r.m.Database = mymodel.Database{Charset: line[0], Collation: line[1]}
}

// relations reads tables and views with their statements.
func (r *reader) relations() {
	list := r.texts(`SELECT table_name, table_type, COALESCE(engine, ''), COALESCE(table_comment, '')
		FROM information_schema.tables WHERE table_schema = DATABASE()`)
	slices.SortFunc(list, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	for _, line := range list {
		name, kind, engine := line[0], line[1], line[2]
		switch {
		case kind == "VIEW":
			r.view(name)
		case kind == "SEQUENCE":
			r.unsupported(mymodel.KindSequence, name, "")
		case kind != "BASE TABLE":
			r.unsupported(mymodel.KindTable, name, strings.ToLower(kind))
		case engine == "":
			r.unsupported(mymodel.KindTable, name, "the server cannot open it: "+line[3])
		case engine != "InnoDB":
			r.unsupported(mymodel.KindTable, name, "engine "+engine+"; ALTER TABLE … ENGINE=InnoDB converts it")
		default:
			r.table(name)
		}
	}
}

func (r *reader) table(name string) {
	create := r.one(2, "SHOW CREATE TABLE "+mymodel.QuoteIdent(name))[1]
	if strings.Contains(create, " DIRECTORY='") || strings.Contains(create, " DIRECTORY = '") {
		r.unsupported(mymodel.KindTable, name, "its files are in a folder of their own")
		return
	}
	r.m.Tables = append(r.m.Tables, mymodel.Table{Name: name, Create: create, Columns: []mymodel.Column{},
		PrimaryKey: []string{}, ForeignKeys: []mymodel.ForeignKey{}})
}

func (r *reader) view(name string) {
	line := r.one(4, "SHOW CREATE VIEW "+mymodel.QuoteIdent(name))
	v := mymodel.View{Name: name, Create: line[1], Session: mymodel.Session{Charset: line[2], Collation: line[3]}, Columns: []string{}}
	if !v.Session.Reads(v.Create) {
		r.unsupported(mymodel.KindView, name, "letters beyond ASCII in the character set "+v.Session.Charset)
		return
	}
	r.m.Views = append(r.m.Views, v)
}

// forms are how the values of a type stand in a line, by the type's name in
// the server's catalog. A type that is not here cannot be carried.
var forms = map[string]mymodel.Form{
	"char": mymodel.Plain, "varchar": mymodel.Plain, "tinytext": mymodel.Plain, "text": mymodel.Plain,
	"mediumtext": mymodel.Plain, "longtext": mymodel.Plain, "enum": mymodel.Plain, "set": mymodel.Plain,
	"tinyint": mymodel.Plain, "smallint": mymodel.Plain, "mediumint": mymodel.Plain, "int": mymodel.Plain, "bigint": mymodel.Plain,
	"decimal": mymodel.Plain, "date": mymodel.Plain, "datetime": mymodel.Plain, "timestamp": mymodel.Plain, "time": mymodel.Plain,
	"year": mymodel.Digits, "double": mymodel.Digits, "float": mymodel.Real,
	"binary": mymodel.Hex, "varbinary": mymodel.Hex, "bit": mymodel.Hex,
	"tinyblob": mymodel.Hex, "blob": mymodel.Hex, "mediumblob": mymodel.Hex, "longblob": mymodel.Hex,
	"geometry": mymodel.Hex, "point": mymodel.Hex, "linestring": mymodel.Hex, "polygon": mymodel.Hex,
	"multipoint": mymodel.Hex, "multilinestring": mymodel.Hex, "multipolygon": mymodel.Hex,
	"geometrycollection": mymodel.Hex, "geomcollection": mymodel.Hex,
	"json": mymodel.Words, "inet4": mymodel.Words, "inet6": mymodel.Words, "uuid": mymodel.Words,
}

// columns reads the columns of tables and the names of those of views.
func (r *reader) columns() {
	list := r.texts(`SELECT table_name, column_name, LOWER(data_type), column_type, is_nullable,
		COALESCE(character_set_name, ''), COALESCE(collation_name, ''), UPPER(extra)
		FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position`)
	for _, line := range list {
		c := mymodel.Column{Name: line[1], Type: line[3], Nullable: line[4] == "YES", Charset: line[5], Collation: line[6],
			Generated: isGenerated(line[7])}
		if t := r.m.Table(line[0]); t != nil {
			form, known := forms[line[2]]
			if !known {
				r.unsupported(mymodel.KindColumn, t.Name+"."+c.Name, "type "+c.Type)
			}
			c.Form = form
			t.Columns = append(t.Columns, c)
		}
		for i := range r.m.Views {
			if r.m.Views[i].Name == line[0] {
				r.m.Views[i].Columns = append(r.m.Views[i].Columns, c.Name)
			}
		}
	}
	for _, v := range r.m.Views {
		if len(v.Columns) == 0 && r.err == nil {
			r.unsupported(mymodel.KindView, v.Name, "it refers to what is not there")
		}
	}
}

// isGenerated reads information_schema.columns.extra: MySQL prints DEFAULT
// GENERATED for a default that is an expression.
func isGenerated(extra string) bool {
	return strings.Contains(extra, "VIRTUAL") || strings.Contains(extra, "STORED") || strings.Contains(extra, "PERSISTENT")
}

// keys reads primary and foreign keys.
func (r *reader) keys() {
	list := r.texts(`SELECT table_name, constraint_name, column_name, COALESCE(referenced_table_schema, ''),
		COALESCE(referenced_table_name, ''), COALESCE(referenced_column_name, ''), COALESCE(referenced_table_schema, '') = DATABASE()
		FROM information_schema.key_column_usage WHERE table_schema = DATABASE()
		ORDER BY table_name, constraint_name, ordinal_position`)
	for _, line := range list {
		t := r.m.Table(line[0])
		switch {
		case t == nil:
		case line[4] != "":
			addForeignKey(t, line)
		case line[1] == "PRIMARY":
			t.PrimaryKey = append(t.PrimaryKey, line[2])
		}
	}
}

func addForeignKey(t *mymodel.Table, line []string) {
	schema := line[3]
	if line[6] == "1" {
		schema = ""
	}
	if n := len(t.ForeignKeys); n == 0 || t.ForeignKeys[n-1].Name != line[1] {
		t.ForeignKeys = append(t.ForeignKeys, mymodel.ForeignKey{Name: line[1], Schema: schema, Table: line[4]})
	}
	k := &t.ForeignKeys[len(t.ForeignKeys)-1]
	k.Columns = append(k.Columns, line[2])
	k.References = append(k.References, line[5])
}

// triggers reads them in the order in which they fire.
func (r *reader) triggers() {
	list := r.texts(`SELECT trigger_name, event_object_table, DATABASE() FROM information_schema.triggers WHERE trigger_schema = DATABASE()
		ORDER BY event_object_table, event_manipulation, action_timing, action_order, trigger_name`)
	for _, line := range list {
		if r.m.Table(line[1]) == nil {
			continue // of a table that is not carried
		}
		made := r.one(6, "SHOW CREATE TRIGGER "+mymodel.QuoteIdent(line[0]))
		// An old server keeps the semicolon that a script ended it with.
		t := mymodel.Trigger{Name: line[0], Table: line[1], SQLMode: made[1], Create: strings.TrimRight(made[2], "; \t\r\n"),
			Session: mymodel.Session{Charset: made[3], Collation: made[4], Database: made[5]}}
		switch {
		case !t.Session.Reads(t.Create):
			r.unsupported(mymodel.KindTrigger, t.Name, "letters beyond ASCII in the character set "+t.Session.Charset)
		case namesDatabase(t.Create, line[2]):
			// The server keeps the words of whoever made it: restored into
			// another database it would go on working on this one.
			r.unsupported(mymodel.KindTrigger, t.Name, "its text names the database")
		default:
			r.m.Triggers = append(r.m.Triggers, t)
		}
	}
}

// namesDatabase tells whether a statement may hold a name that is qualified
// with the database.
func namesDatabase(statement, name string) bool {
	statement = strings.ToLower(statement)
	name = strings.ToLower(name)
	return strings.Contains(statement, mymodel.QuoteIdent(name)) ||
		regexp.MustCompile(`(^|[^a-z0-9_$])`+regexp.QuoteMeta(name)+`\s*\.`).MatchString(statement)
}

// others names what a Harbor database has never held.
func (r *reader) others() {
	for _, line := range r.texts(`SELECT routine_name FROM information_schema.routines WHERE routine_schema = DATABASE() ORDER BY 1`) {
		r.unsupported(mymodel.KindRoutine, line[0], "")
	}
	for _, line := range r.texts(`SELECT event_name FROM information_schema.events WHERE event_schema = DATABASE() ORDER BY 1`) {
		r.unsupported(mymodel.KindEvent, line[0], "")
	}
}
