package schema

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/harbordb/harbordb/database"
)

// live is the catalog that a database shows now.
type live struct {
	catalog
	// sequences are the sequences that columns take their default from, by
	// column. They are not part of the comparison: renamed tables keep the
	// old names, and PostgreSQL 9.6 leaves bigint ones behind for ever.
	sequences map[object]string
}

// has reports whether the object is there, whatever its definition.
func (l live) has(kind Kind, table, name string) bool {
	_, ok := l.catalog[object{kind, table, name}]
	return ok
}

// readLive reads the catalog of a schema (PostgreSQL) or of the current
// database (MySQL).
func readLive(ctx context.Context, q database.Querier, rec Record) (live, error) {
	d := dialectOf(rec.Engine)
	rows, err := q.QueryContext(ctx, d.catalogQuery, d.catalogArgs(rec)...)
	if err != nil {
		return live{}, fmt.Errorf("reading the catalog: %w", explain(err))
	}
	defer rows.Close()
	l := live{catalog{}, map[object]string{}}
	for rows.Next() {
		var o object
		var definition string
		if err := rows.Scan(&o.Kind, &o.Table, &o.Name, &definition); err != nil {
			return live{}, fmt.Errorf("reading the catalog: %w", err)
		}
		canonical, sequence := d.canonical(o.Kind, definition)
		l.catalog[o] = canonical
		if sequence != "" {
			l.sequences[o] = sequence
		}
	}
	if err := rows.Err(); err != nil {
		return live{}, fmt.Errorf("reading the catalog: %w", explain(err))
	}
	return l, nil
}

// pgCatalog reads everything in one statement, so that it shows one moment,
// and by names from the catalogs alone: what pg_get_constraintdef and
// regclass print depends on the search_path. Objects of extensions are left
// out. The named NOT NULL constraints that PostgreSQL 18 keeps are told by
// their columns already.
const pgCatalog = `
with rel as (
  select c.oid, c.relname::text as name, c.relkind
  from pg_catalog.pg_class c
  where c.relnamespace = (select oid from pg_catalog.pg_namespace where nspname = $1)
    and c.relkind in ('r', 'p', 'f', 'v', 'm')
    and not exists (select from pg_catalog.pg_depend d
      where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e')
)
select 'table', name, '', case relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' else '' end
from rel
union all
select 'column', rel.name, a.attname::text,
  pg_catalog.format_type(a.atttypid, a.atttypmod) || case when a.attnotnull then ' not null' else '' end
    || coalesce(' default ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid), '')
from rel join pg_catalog.pg_attribute a on a.attrelid = rel.oid
  left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attnum > 0 and not a.attisdropped and rel.relkind in ('r', 'p', 'f')
union all
select 'constraint', rel.name, k.conname::text,
  case k.contype
    when 'p' then 'PRIMARY KEY (' || own.cols || ')'
    when 'u' then 'UNIQUE (' || own.cols || ')'
    when 'f' then 'FOREIGN KEY (' || own.cols || ') REFERENCES ' || other.relname || '(' || others.cols || ')'
      || case k.confupdtype when 'a' then '' else ' ON UPDATE ' || k.confupdtype::text end
      || case k.confdeltype when 'a' then '' when 'c' then ' ON DELETE CASCADE' else ' ON DELETE ' || k.confdeltype::text end
    else pg_catalog.pg_get_constraintdef(k.oid) end
  || case when k.condeferrable then ' DEFERRABLE' else '' end
  || case when k.convalidated or k.contype = 'c' then '' else ' NOT VALID' end
from rel join pg_catalog.pg_constraint k on k.conrelid = rel.oid
  left join pg_catalog.pg_class other on other.oid = k.confrelid
  cross join lateral (select string_agg(a.attname::text, ', ' order by u.n) as cols
    from unnest(k.conkey) with ordinality u(num, n)
    join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.num) own
  cross join lateral (select string_agg(a.attname::text, ', ' order by u.n) as cols
    from unnest(k.confkey) with ordinality u(num, n)
    join pg_catalog.pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.num) others
where k.contype in ('p', 'u', 'f', 'c', 'x')
union all
select 'index', rel.name, i.relname::text,
  case when x.indisunique then 'unique ' else '' end || am.amname::text || ' (' || keys.cols || ')'
    || coalesce(' WHERE ' || pg_catalog.pg_get_expr(x.indpred, x.indrelid), '')
    || case when x.indisvalid then '' else ' INVALID' end
from rel join pg_catalog.pg_index x on x.indrelid = rel.oid
  join pg_catalog.pg_class i on i.oid = x.indexrelid
  join pg_catalog.pg_am am on am.oid = i.relam
  cross join lateral (select string_agg(pg_catalog.pg_get_indexdef(x.indexrelid, n, false)
      || case when am.amname = 'btree' and x.indoption[n - 1] & 1 = 1 then ' DESC' else '' end, ', ' order by n) as cols
    from pg_catalog.generate_series(1, x.indnatts::int) n) keys
where not exists (select from pg_catalog.pg_constraint k where k.conindid = x.indexrelid and k.contype in ('p', 'u', 'x'))
union all
select 'trigger', rel.name, t.tgname::text, pg_catalog.pg_get_triggerdef(t.oid) || case t.tgenabled when 'O' then '' else ' (' || t.tgenabled::text || ')' end
from rel join pg_catalog.pg_trigger t on t.tgrelid = rel.oid
where not t.tgisinternal
union all
select 'function', '', p.proname::text || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')', l.lanname::text
from pg_catalog.pg_proc p join pg_catalog.pg_language l on l.oid = p.prolang
where p.pronamespace = (select oid from pg_catalog.pg_namespace where nspname = $1)
  and not exists (select from pg_catalog.pg_depend d
    where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = p.oid and d.deptype = 'e')`

var (
	defaultForm = regexp.MustCompile(`^(.*) default (.*)$`)
	nextvalForm = regexp.MustCompile(`^nextval\('([^']*)'`)
	triggerForm = regexp.MustCompile(`^CREATE (?:CONSTRAINT )?TRIGGER \S+ (.*?) ON \S+ (.*?)EXECUTE (?:PROCEDURE|FUNCTION) (?:[^(]*\.)?([^.(]*\(.*)$`)
)

// canonicalPostgres makes the server's text comparable and returns the name
// of the sequence that a default takes its value from. A default of now()
// comes from a server of before PostgreSQL 10, which kept CURRENT_TIMESTAMP
// so; EXECUTE PROCEDURE was its word for triggers before 11.
func canonicalPostgres(kind Kind, text string) (canonical, sequence string) {
	switch kind {
	case KindColumn:
		return canonicalColumn(text)
	case KindTrigger:
		if m := triggerForm.FindStringSubmatch(text); m != nil {
			return m[1] + " " + m[2] + "EXECUTE FUNCTION " + m[3], ""
		}
	}
	return text, ""
}

func canonicalColumn(text string) (canonical, sequence string) {
	m := defaultForm.FindStringSubmatch(text)
	if m == nil {
		return text, ""
	}
	value := m[2]
	if n := nextvalForm.FindStringSubmatch(value); n != nil {
		name := n[1][strings.LastIndexByte(n[1], '.')+1:]
		return m[1] + " default nextval", strings.Trim(name, `"`)
	}
	if value == "now()" {
		value = "CURRENT_TIMESTAMP"
	}
	return m[1] + " default " + value, ""
}

// myCatalog reads the current database. Defaults are left out, and of
// timestamps all but the type: servers differ in what they make of the same
// statement.
const myCatalog = `
select 'table', table_name, '', case table_type when 'VIEW' then 'view' else '' end
from information_schema.tables where table_schema = database()
union all
select 'column', table_name, column_name,
  case data_type when 'timestamp' then 'timestamp'
    else concat(case data_type when 'int' then 'int' when 'tinyint' then 'tinyint' else column_type end,
      case is_nullable when 'NO' then ' not null' else '' end,
      case when extra like '%auto_increment%' then ' auto_increment' else '' end) end
from information_schema.columns where table_schema = database()
union all
select 'constraint', table_name, concat(table_name, '_', column_name),
  concat('FOREIGN KEY (', column_name, ') REFERENCES ', referenced_table_name, '(', referenced_column_name, ')')
from information_schema.key_column_usage
where table_schema = database() and referenced_table_name is not null
union all
select 'index', table_name, index_name,
  concat(case min(non_unique) when 0 then 'unique ' else '' end, '(', group_concat(column_name order by seq_in_index separator ', '), ')')
from information_schema.statistics where table_schema = database()
group by table_name, index_name`

func canonicalMySQL(_ Kind, text string) (canonical, sequence string) { return text, "" }
