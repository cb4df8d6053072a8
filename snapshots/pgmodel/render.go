package pgmodel

import (
	"fmt"
	"slices"
	"strings"
)

// MissingError says what the target's major does not have, object by object.
type MissingError struct {
	Major   int
	Missing []Note
}

// Error names every object.
func (e *MissingError) Error() string {
	list := make([]string, len(e.Missing))
	for i, n := range e.Missing {
		list[i] = n.String()
	}
	return fmt.Sprintf("PostgreSQL %d cannot hold %s", e.Major, strings.Join(list, "; "))
}

// Render returns the statements that make the database on the target, and
// notes of what will differ there. It returns a MissingError where the target
// lacks a feature without which the database would mean something else. The
// model must be valid and have nothing unsupported in it.
func (m *Model) Render(t Target) (Script, []Note, error) {
	if len(m.Unsupported) > 0 {
		return Script{}, nil, fmt.Errorf("render the catalog model: it holds %s", m.Unsupported[0])
	}
	r := &renderer{m: m, t: t, lookup: newLookup(m), owners: m.owners(), unowned: map[string]int{}}
	var err error
	if r.plan, err = m.order(); err != nil {
		return Script{}, nil, fmt.Errorf("render the catalog model: %w", err)
	}
	for _, render := range []func(){
		r.create, r.schemas, r.extensions, r.sequences, r.objects, r.tableDetails,
		r.indexes, r.foreignKeys, r.unvalidated, r.views, r.statistics, r.triggers,
		r.comments, r.ownership, r.privileges, r.settings, r.defaultPrivileges,
	} {
		render()
	}
	r.noteRoles()
	if len(r.missing) > 0 {
		return Script{}, nil, &MissingError{Major: t.Major, Missing: r.missing}
	}
	return r.s, r.notes, nil
}

// renderer fills a script from a model.
type renderer struct {
	m       *Model
	t       Target
	lookup  lookup
	plan    plan
	s       Script
	notes   []Note
	missing []Note
	owners  map[string]bool // the roles that own something in the model
	unowned map[string]int  // how many objects stay with the user, by their owner
	absent  []string        // roles whose privileges are not given
}

func (r *renderer) note(o Object, format string, args ...any) {
	r.notes = append(r.notes, Note{Object: o, Text: fmt.Sprintf(format, args...)})
}

// lacks records that the target has no such feature, if its major is lower
// than since.
func (r *renderer) lacks(since int, o Object, feature string) bool {
	if r.t.Major >= since {
		return false
	}
	n := Note{Object: o, Text: feature + " (PostgreSQL " + fmt.Sprint(since) + ")"}
	if !slices.Contains(r.missing, n) {
		r.missing = append(r.missing, n)
	}
	return true
}

func statementf(o Object, format string, args ...any) Statement {
	return Statement{Object: o, SQL: fmt.Sprintf(format, args...)}
}

func optionalf(o Object, format string, args ...any) Statement {
	s := statementf(o, format, args...)
	s.Optional = true
	return s
}

func (r *renderer) pre(s ...Statement)  { r.s.Pre = append(r.s.Pre, s...) }
func (r *renderer) post(s ...Statement) { r.s.Post = append(r.s.Post, s...) }

func schemaObject(name string) Object { return Object{Kind: KindSchema, Name: name} }
func object(k Kind, n Name) Object    { return Object{Kind: k, Schema: n.Schema, Name: n.Name} }

// part names what belongs to a relation. A name with a point in it is quoted:
// no two parts of a model have the same object.
func part(k Kind, n Name, name string) Object {
	return Object{Kind: k, Schema: n.Schema, Name: plain(n.Name) + "." + plain(name)}
}

func plain(name string) string {
	if strings.ContainsAny(name, `."`) {
		return QuoteIdent(name)
	}
	return name
}

// schemas makes the schemas. A new database has a schema public.
func (r *renderer) schemas() {
	public := false
	for _, s := range r.m.Schemas {
		if s.Name == "public" {
			public = true
			continue
		}
		r.pre(statementf(schemaObject(s.Name), "CREATE SCHEMA %s", QuoteIdent(s.Name)))
	}
	if !public {
		r.pre(optionalf(schemaObject("public"), "DROP SCHEMA public"))
	}
}

// extensions makes the extensions, each after those that it needs.
func (r *renderer) extensions() {
	done := map[string]bool{}
	var visit func(Extension)
	visit = func(e Extension) {
		if done[e.Name] {
			return
		}
		done[e.Name] = true
		for _, n := range e.Needs {
			for _, other := range r.m.Extensions {
				if n.Kind == KindExtension && n.Name == other.Name {
					visit(other)
				}
			}
		}
		r.extension(e)
	}
	for _, e := range r.m.Extensions {
		visit(e)
	}
}

func (r *renderer) extension(e Extension) {
	o := Object{Kind: KindExtension, Name: e.Name}
	sql := "CREATE EXTENSION IF NOT EXISTS " + QuoteIdent(e.Name)
	// A schema that the extension makes itself must not be named.
	if !slices.Contains(e.Schemas, e.Schema) {
		sql += " WITH SCHEMA " + QuoteIdent(e.Schema)
	}
	if r.t.Extensions != nil {
		versions, ok := r.t.Extensions[e.Name]
		if !ok {
			r.missing = append(r.missing, Note{o, "it is not installed on the server"})
			return
		}
		if slices.Contains(versions, e.Version) {
			sql += " VERSION " + QuoteLiteral(e.Version)
		} else {
			r.note(o, "version %s is not there, the server's own is used", e.Version)
		}
	}
	r.pre(Statement{Object: o, SQL: sql})
}

// objects makes functions, tables and views in their order.
func (r *renderer) objects() {
	for _, ref := range r.plan.pre {
		r.pre(r.object(ref)...)
	}
	for _, s := range r.m.Sequences {
		if s.OwnedBy != nil && !s.Identity {
			r.pre(statementf(object(KindSequence, s.Name), "ALTER SEQUENCE %s OWNED BY %s.%s",
				s.SQL(), s.OwnedBy.Table.SQL(), QuoteIdent(s.OwnedBy.Column)))
		}
	}
}

func (r *renderer) object(ref Ref) []Statement {
	if t, ok := r.lookup.tables[ref]; ok {
		return r.table(t)
	}
	if v, ok := r.lookup.views[ref]; ok {
		return r.view(v)
	}
	return []Statement{r.function(r.lookup.functions[ref])}
}

// find returns the element for which is is true.
func find[T any](list []T, is func(*T) bool) (*T, bool) {
	for i := range list {
		if is(&list[i]) {
			return &list[i], true
		}
	}
	return nil, false
}

func (r *renderer) function(f *Function) Statement {
	o := object(f.Kind, f.Name)
	if f.Kind == KindProcedure {
		r.lacks(11, o, "a procedure")
	}
	if f.atomic() {
		r.lacks(14, o, "a body in standard SQL")
	}
	return statementf(o, "CREATE OR REPLACE %s %s%s", strings.ToUpper(string(f.Kind)), f.Name.SQL(), f.Definition)
}

// atomic reports whether the body is parsed SQL and not a string.
func (f *Function) atomic() bool {
	s, err := parse(f.Definition)
	if err != nil {
		return false
	}
	_, block := s.find("begin", "atomic")
	_, expression := s.find("return")
	return block || expression
}

// sequences makes all sequences but those of identity columns.
func (r *renderer) sequences() {
	for _, s := range r.m.Sequences {
		if s.Identity {
			continue
		}
		o, unlogged, typed := object(KindSequence, s.Name), "", ""
		if s.Unlogged && r.unloggedSequence(&s) {
			unlogged = "UNLOGGED "
		}
		if r.t.Major >= 10 {
			typed = " AS " + s.Type
		}
		r.pre(statementf(o, "CREATE %sSEQUENCE %s%s %s", unlogged, s.SQL(), typed, s.parameters()))
	}
}

// unloggedSequence reports whether the target has unlogged sequences. A logged
// one in its place loses nothing; before PostgreSQL 15 those of unlogged
// tables are logged too.
func (r *renderer) unloggedSequence(s *Sequence) bool {
	if r.t.Major >= 15 {
		return true
	}
	if s.OwnedBy == nil {
		r.note(object(KindSequence, s.Name), "PostgreSQL %d has no unlogged sequences, this one is logged", r.t.Major)
	}
	return false
}

func (s *Sequence) parameters() string {
	cycle := "NO CYCLE"
	if s.Cycle {
		cycle = "CYCLE"
	}
	return fmt.Sprintf("START WITH %d INCREMENT BY %d MINVALUE %d MAXVALUE %d CACHE %d %s",
		s.Start, s.Increment, s.Min, s.Max, s.Cache, cycle)
}

// statistics makes statistics objects. They only help the planner: a target
// that lacks one gets a note.
func (r *renderer) statistics() {
	for _, s := range r.m.Statistics {
		o := object(KindStatistics, s.Name)
		if r.t.Major < 10 {
			r.note(o, "PostgreSQL %d has no statistics objects", r.t.Major)
			continue
		}
		r.post(optionalf(o, "CREATE STATISTICS %s %s FROM %s", s.SQL(), s.Definition, s.Table.SQL()))
		if s.Target != nil && r.t.Major >= 13 {
			r.post(optionalf(o, "ALTER STATISTICS %s SET STATISTICS %d", s.SQL(), *s.Target))
		}
	}
}
