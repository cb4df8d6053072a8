package repair

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/schema"
)

// VersionChange is the change of a repair of the schema version: what the
// version table says before and after it.
type VersionChange struct {
	From schema.Record `json:"from"`
	To   schema.Record `json:"to"`
	// Decision is why; empty in an undo.
	Decision schema.Decision `json:"decision"`
}

func (v *VersionChange) reversed() *VersionChange {
	return &VersionChange{From: v.To, To: v.From}
}

// PlanSchema finds the version that the database itself shows and plans to
// make the version table say it. A named version overrides the evidence, with
// a warning where it disagrees. The plan is empty where the row is right
// already.
func PlanSchema(ctx context.Context, db *database.DB, named string) (*Plan, error) {
	target, err := targetOf(ctx, db)
	if err != nil {
		return nil, err
	}
	s, err := look(ctx, db)
	if err != nil {
		return nil, err
	}
	defer s.close()
	evidence, err := schema.Inspect(ctx, s.tx, db.Engine())
	if err != nil {
		return nil, err
	}
	decision := schema.Decide(evidence)
	if named != "" {
		mark, err := s.d.parseVersion(named)
		if err != nil {
			return nil, err
		}
		decision = schema.Override(evidence, mark)
	}
	if decision.Action == schema.Refuse {
		return nil, refusalOf(decision)
	}
	m, err := s.now(ctx, utc)
	if err != nil {
		return nil, err
	}
	return versionPlan(target, m.made, evidence, decision), nil
}

// parseMigration reads a version as a person writes it, from 1.6 on.
func parseMigration(named string) (schema.Mark, error) {
	v, err := schema.ParseVersion(named)
	if err != nil || v == 0 {
		return schema.Mark{}, fault.Usagef("--version %q is not a schema version", named).
			WithHint("it is a number such as 140; harbordb schema releases lists all")
	}
	return schema.Mark{Version: v}, nil
}

// parseAlembic is the same up to 1.5.
func parseAlembic(named string) (schema.Mark, error) {
	if len(schema.ReleasesAtAlembic(named)) == 0 {
		return schema.Mark{}, fault.Usagef("no release of the MySQL era has alembic_version %q", named).
			WithHint("it is written like 1.5.0; harbordb schema releases lists all")
	}
	return schema.Mark{Alembic: named}, nil
}

// refusalOf is a decision not to decide, as an error.
func refusalOf(d schema.Decision) error {
	refused := fault.Refusedf("the version row is left as it is: %s", d.Why[0])
	if len(d.Next) == 0 {
		return refused.WithHint("harbordb schema status shows the evidence")
	}
	return refused.WithHint("%s", d.Next[0])
}

// versionPlan is the plan of a decision to keep, set or empty.
func versionPlan(target Target, made time.Time, evidence schema.Evidence, d schema.Decision) *Plan {
	from := evidence.Record
	p := &Plan{Kind: Schema, Scope: "schema version", Target: target, Made: made,
		Rows: []Item{}, Policies: []Count{}, LeftAlone: []Item{}, Before: []Step{}, After: []Step{}, Notes: d.Warnings}
	if d.Action == schema.Keep {
		p.Notes = append(append(p.Notes, "nothing to repair: the row says "+from.String()+", and so does the catalog"), evidence.Verdict.Findings...)
		return p
	}
	p.Version = &VersionChange{From: from, To: d.Target(from), Decision: d}
	p.Rows = []Item{{Table: dialects[from.Engine].versionTable, From: Text(from.String()), To: Text(p.Version.To.String())}}
	p.Before = []Step{{What: "stop core, or let it fail: it must not migrate meanwhile; the migration lock keeps it from that"}}
	for _, next := range d.Next {
		p.After = append(p.After, Step{What: next})
	}
	return p
}

// sameVersion compares what two records say.
func sameVersion(a, b schema.Record) bool {
	return a.Table == b.Table && a.AlembicTable == b.AlembicTable && slices.Equal(a.Alembic, b.Alembic) &&
		slices.EqualFunc(a.Rows, b.Rows, func(x, y schema.Row) bool { return reflect.DeepEqual(x, y) })
}

// find says how the version table stands.
func (v *VersionChange) find(ctx context.Context, q database.Querier) (finding, schema.Record, error) {
	now, err := schema.Recorded(ctx, q, v.From.Engine)
	switch {
	case err != nil:
		return "", now, err
	case sameVersion(now, v.From):
		return asBefore, now, nil
	case sameVersion(now, v.To):
		return asAfter, now, nil
	}
	return otherwise, now, nil
}

// count asks the version table. Held, it waits for the migration lock, and so
// for a transaction of ours that the server is still busy with.
func (v *VersionChange) count(ctx context.Context, db *database.DB, lock rowLock) (n tally, err error) {
	conn, err := liveConn(ctx, db)
	if err != nil {
		return tally{}, err
	}
	defer conn.Close()
	if lock == held {
		unlock, err := dialects[db.Engine()].lockVersion(ctx, conn, v, db.Settings().LockTimeout)
		if err != nil {
			return tally{}, err
		}
		defer func() { err = errors.Join(err, unlock()) }()
	}
	f, _, err := v.find(ctx, conn)
	if err != nil {
		return tally{}, err
	}
	n.add([]finding{f})
	return n, nil
}

// runVersion is run for a change of the version.
func (c changeover) runVersion(ctx context.Context) (time.Time, error) {
	conn, err := liveConn(ctx, c.db)
	if err != nil {
		return time.Time{}, fmt.Errorf("nothing was changed: %w", err)
	}
	defer conn.Close()
	now, err := c.db.Now(ctx)
	if err != nil {
		return time.Time{}, fmt.Errorf("nothing was changed: %w", err)
	}
	if err := c.dialect().writeVersion(ctx, conn, c.version, c.db.Settings().LockTimeout); err != nil {
		return time.Time{}, c.explainVersion(err)
	}
	return now, nil
}

// explainVersion cannot tell at which step a connection broke, or the lock was
// not given back: it may have been after COMMIT. Only a fault, and an error that
// COMMIT does not have, come before it.
func (c changeover) explainVersion(err error) error {
	var f *fault.Error
	t := c.dialect().trouble(err)
	if !errors.As(err, &f) && (t == unknown || t == failed) {
		return fmt.Errorf("%w: %w", errUnknown, err)
	}
	return c.explain(err)
}

// forcePostgres writes the version as golang-migrate does, under its lock: a
// decision through migrate.Force, and what an undo puts back, which may be more
// or less than one row, by itself.
func forcePostgres(ctx context.Context, conn *sql.Conn, v *VersionChange, wait time.Duration) (err error) {
	driver := schema.NewDriver(ctx, conn, v.From, wait, v.verify)
	if v.Decision.Action != "" {
		return driver.Force(v.Decision)
	}
	if err := driver.Lock(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, driver.Unlock()) }()
	return writeVersion(ctx, conn, v, wait)
}

func lockPostgres(ctx context.Context, conn *sql.Conn, v *VersionChange, wait time.Duration) (unlock func() error, err error) {
	driver := schema.NewDriver(ctx, conn, v.From, wait, nil)
	return driver.Unlock, driver.Lock()
}

// lockNothing: the migrator of the MySQL era took no lock, and ran while Harbor
// was down.
func lockNothing(context.Context, *sql.Conn, *VersionChange, time.Duration) (unlock func() error, err error) {
	return func() error { return nil }, nil
}

// writeVersion writes the version table in one transaction.
func writeVersion(ctx context.Context, conn *sql.Conn, v *VersionChange, _ time.Duration) error {
	tx, err := conn.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // of no effect after COMMIT
	if err := schema.Write(ctx, tx, v.From, v.To); err != nil {
		return err
	}
	if err := v.verify(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

// verify is the last look before COMMIT.
func (v *VersionChange) verify(ctx context.Context, q database.Querier) error {
	f, now, err := v.find(ctx, q)
	if err == nil && f != asAfter {
		err = fault.Refusedf("the server did not keep the version that was written, and all is as it was: it says %s", now).
			WithHint("a trigger or a rule on the version table changes it; take it away for the time of the repair")
	}
	return err
}

// readVersion fills the plan of an undo.
func (u *UndoPlan) readVersion(ctx context.Context, s *session, r *record) error {
	v := r.Plan.Version
	f, now, err := v.find(ctx, s.tx)
	if err != nil {
		return err
	}
	switch f {
	case asAfter:
		u.Rows = append(u.Rows, r.Plan.Rows[0].reversed())
		u.changes.version = v.reversed()
	case asBefore:
		u.Already = 1
	default:
		u.Conflicts = append(u.Conflicts, Conflict{Table: dialects[v.From.Engine].versionTable, Row: v.To.String(), Found: string(f),
			Changes: []ColumnChange{{Column: "version", From: Text(v.To.String()), To: Text(now.String())}}})
	}
	return nil
}
