package schema

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
)

// Write makes the version table say exactly what to says, within the caller's
// transaction. from is what it said when the change was planned; where it
// says something else by now, Write changes nothing and returns a fault of
// kind Refused. The table is locked against every other writer until the
// transaction ends, with the lock timeout of the session. Write(…, to, from)
// is the undo of Write(…, from, to).
//
// It takes no advisory lock; see Driver.Lock.
func Write(ctx context.Context, tx database.Querier, from, to Record) error {
	if err := dialectOf(from.Engine).write(ctx, tx, from, to); err != nil {
		return fmt.Errorf("writing the schema version: %w", explain(err))
	}
	return nil
}

func changed(from, now Record) error {
	return fault.Refusedf("the recorded version has changed since it was read: it said %s, and now %s", from, now).
		WithHint("look again: harbordb schema status")
}

func writePostgres(ctx context.Context, tx database.Querier, from, to Record) error {
	name := database.PostgreSQL.QuoteIdent(from.Schema) + ".schema_migrations"
	switch {
	case !from.Table && !to.Table:
		return nil
	case !from.Table:
		if _, err := tx.ExecContext(ctx, "create table "+name+" (version bigint not null primary key, dirty boolean not null)"); err != nil {
			return err
		}
	default:
		if _, err := tx.ExecContext(ctx, "lock table "+name+" in exclusive mode"); err != nil {
			return err
		}
		now := from
		var err error
		if now.Rows, err = readRows(ctx, tx, from); err != nil {
			return err
		}
		if !slices.EqualFunc(now.Rows, from.Rows, Row.equal) {
			return changed(from, now)
		}
	}
	if !to.Table {
		_, err := tx.ExecContext(ctx, "drop table "+name)
		return err
	}
	return replaceRows(ctx, tx, name, from, to)
}

// equal compares rows by value.
func (r Row) equal(o Row) bool {
	sameData := r.DataVersion == nil && o.DataVersion == nil ||
		r.DataVersion != nil && o.DataVersion != nil && *r.DataVersion == *o.DataVersion
	return r.Version == o.Version && r.Dirty == o.Dirty && r.NullVersion == o.NullVersion && r.NullDirty == o.NullDirty && sameData
}

// replaceRows updates one row to one row, and replaces them otherwise.
func replaceRows(ctx context.Context, tx database.Querier, name string, from, to Record) error {
	set, columns, values := "version = $1, dirty = $2", "version, dirty", "$1, $2"
	if from.HasDataVersion {
		set, columns, values = set+", data_version = $3", columns+", data_version", values+", $3"
	}
	args := func(r Row) []any {
		list := []any{
			sql.NullInt64{Int64: int64(r.Version), Valid: !r.NullVersion},
			sql.NullBool{Bool: r.Dirty, Valid: !r.NullDirty},
		}
		if from.HasDataVersion {
			list = append(list, r.DataVersion)
		}
		return list
	}
	if len(from.Rows) == 1 && len(to.Rows) == 1 {
		_, err := tx.ExecContext(ctx, "update "+name+" set "+set, args(to.Rows[0])...)
		return err
	}
	if _, err := tx.ExecContext(ctx, "delete from "+name); err != nil {
		return err
	}
	for _, r := range to.Rows {
		if _, err := tx.ExecContext(ctx, "insert into "+name+" ("+columns+") values ("+values+")", args(r)...); err != nil {
			return err
		}
	}
	return nil
}

// writeMySQL locks the rows by reading them for update; the table has no key.
// A table that is missing is made as Harbor makes it, which in MySQL commits
// at once.
func writeMySQL(ctx context.Context, tx database.Querier, from, to Record) error {
	if !from.AlembicTable {
		if !to.AlembicTable {
			return nil
		}
		if _, err := tx.ExecContext(ctx, "create table alembic_version (version_num varchar(32) not null) engine=InnoDB default charset=utf8"); err != nil {
			return err
		}
	}
	values, err := column[string](ctx, tx, "select version_num from alembic_version for update")
	if err != nil {
		return err
	}
	slices.Sort(values)
	if !slices.Equal(values, from.Alembic) {
		now := from
		now.Alembic = values
		return changed(from, now)
	}
	if !to.AlembicTable {
		_, err := tx.ExecContext(ctx, "drop table alembic_version")
		return err
	}
	if _, err := tx.ExecContext(ctx, "delete from alembic_version"); err != nil {
		return err
	}
	for _, v := range to.Alembic {
		if _, err := tx.ExecContext(ctx, "insert into alembic_version (version_num) values (?)", v); err != nil {
			return err
		}
	}
	return nil
}
