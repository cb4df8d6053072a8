package harborsql

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// rowSet is rows for one table: a query whose columns are named like those of
// the table. Where the table's version has no such column, or the table does
// not exist, that part is left out, so that one query serves many versions.
type rowSet struct {
	table string
	// from and to bound the versions that the rows are for; 0 is no bound.
	from, to int
	query    string
}

// FillHarbor brings db to a schema version, as BuildPostgreSQL does, and adds
// a small Harbor to the seed rows: users, projects, repositories, tags,
// artifacts, blobs, scan reports, policies, and jobs that have ended, as many as
// belong to the given number of images, in the words of that version. It is
// consistent and healthy: every reference has its row, every quota its sum,
// every sequence stands at the highest id, and every schedule has its task.
// The same rows come out each time; times are in January 2024.
//
// There are 4 images in a repository and 5 repositories in a project; the first
// project is library. A database can be filled once.
func FillHarbor(ctx context.Context, db *sql.DB, version, images int) error {
	if err := BuildPostgreSQL(ctx, db, version); err != nil {
		return err
	}
	tables, err := readTables(ctx, db)
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	// The plan of what there is lives in temporary tables until the commit.
	plan := strings.ReplaceAll(harborPlan, "{images}", fmt.Sprint(images))
	if _, err := tx.ExecContext(ctx, plan); err != nil {
		return fmt.Errorf("plan %d images: %w", images, err)
	}
	for _, rows := range slices.Concat(harborContent, harborJobs) {
		if version < rows.from || rows.to != 0 && version > rows.to {
			continue
		}
		if err := rows.insert(ctx, tx, tables); err != nil {
			return fmt.Errorf("fill %s: %w", rows.table, err)
		}
	}
	if err := settle(ctx, tx, version, tables); err != nil {
		return err
	}
	return tx.Commit()
}

func (s rowSet) insert(ctx context.Context, tx *sql.Tx, tables []table) error {
	i := slices.IndexFunc(tables, func(t table) bool { return t.name == s.table })
	if i < 0 {
		return nil
	}
	given, err := columnNames(ctx, tx, s.query)
	if err != nil {
		return err
	}
	var names, values []string
	for _, c := range tables[i].columns {
		if slices.Contains(given, c.name) {
			names = append(names, quote(c.name))
			// By way of text: a type may have changed with the version.
			values = append(values, fmt.Sprintf("q.%s::text::%s", quote(c.name), c.typeName))
		}
	}
	_, err = tx.ExecContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM (%s) q",
		quote(s.table), strings.Join(names, ", "), strings.Join(values, ", "), s.query))
	return err
}

func columnNames(ctx context.Context, tx *sql.Tx, query string) ([]string, error) {
	rows, err := tx.QueryContext(ctx, "SELECT * FROM ("+query+") q LIMIT 0")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return rows.Columns()
}

// settle does what follows from the rows: sequences, sums and marks.
func settle(ctx context.Context, tx *sql.Tx, version int, tables []table) error {
	for _, t := range tables {
		for _, c := range t.columns {
			if err := settleSequence(ctx, tx, c); err != nil {
				return fmt.Errorf("sequence of %s.%s: %w", c.table, c.name, err)
			}
		}
	}
	var script string
	switch {
	case version >= 40:
		script = sumQuotas + `UPDATE data_migrations SET version = 30;`
	case version >= 30:
		script = sumQuotas + `UPDATE schema_migrations SET data_version = 30;`
	case version >= 10:
		script = sumQuotas + countQuotas
	}
	_, err := tx.ExecContext(ctx, script)
	return err
}

// settleSequence moves the sequence in a column's default to its highest id.
func settleSequence(ctx context.Context, tx *sql.Tx, c column) error {
	var text sql.NullString
	err := tx.QueryRowContext(ctx, `
		SELECT substring(pg_get_expr(d.adbin, d.adrelid) FROM '^nextval\(''(.*)''::regclass\)$')
		FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
		WHERE a.attrelid = $1::text::regclass AND a.attname = $2::text`, quote(c.table), c.name).Scan(&text)
	if err != nil || !text.Valid || c.table == "schema_migrations" {
		return err
	}
	_, err = tx.ExecContext(ctx, fmt.Sprintf("SELECT setval($1::text::regclass, max(%s)) FROM %s",
		quote(c.name), quote(c.table)), text.String)
	return err
}

// sumQuotas makes each project's usage the sum of its blobs.
const sumQuotas = `
	UPDATE quota_usage u
	SET used = u.used || jsonb_build_object('storage', COALESCE(
		(SELECT sum(b.size) FROM project_blob pb JOIN blob b ON b.id = pb.blob_id
		 WHERE pb.project_id::text = u.reference_id), 0))
	WHERE u.reference = 'project';
`

// countQuotas is for the versions that limited the number of artifacts, too.
const countQuotas = `
	UPDATE quota_usage u
	SET used = u.used || jsonb_build_object('count',
		(SELECT count(*) FROM artifact a WHERE a.project_id::text = u.reference_id))
	WHERE u.reference = 'project';
`
