package schema

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database"
)

// recorder is golang-migrate's database driver that does nothing but remember
// what it is told: migrate.Up on it says what a core would do.
type recorder struct {
	version int
	dirty   bool
	ran     []Version
}

var _ database.Driver = (*recorder)(nil)

func (r *recorder) Open(string) (database.Driver, error) { return nil, errors.New("use newRecorder") }
func (r *recorder) Close() error                         { return nil }
func (r *recorder) Lock() error                          { return nil }
func (r *recorder) Unlock() error                        { return nil }
func (r *recorder) Drop() error                          { return errors.New("nothing to drop") }
func (r *recorder) Version() (int, bool, error)          { return r.version, r.dirty, nil }

func (r *recorder) SetVersion(version int, dirty bool) error {
	r.version, r.dirty = version, dirty
	return nil
}

// Run reads the migration to its end, as a real driver would: golang-migrate
// feeds it from another goroutine.
func (r *recorder) Run(text io.Reader) error {
	r.ran = append(r.ran, Version(r.version))
	_, err := io.Copy(io.Discard, text)
	return err
}

// logged collects what golang-migrate logs as a core prints it.
type logged []string

func (l *logged) Printf(format string, v ...any) { *l = append(*l, fmt.Sprintf(format, v...)) }
func (l *logged) Verbose() bool                  { return false }

// Outcome is what a core does with a database as it starts, from the recorded
// version alone: the core looks at nothing else.
type Outcome struct {
	// Runs are the migrations that it would start, in order.
	Runs []Migration `json:"runs"`
	// Error is the error that it would stop with, in its own words; "" where
	// it would not stop before the first migration.
	Error string `json:"error,omitempty"`
	// Log are the lines that it would print about it, without their prefix.
	Log []string `json:"log"`
}

// Refuses reports that the core would stop before it runs anything.
func (o Outcome) Refuses() bool { return o.Error != "" }

// floorError is how releases 2.0 to 2.8 refuse databases that are too old for
// what they do with the data after migrating. Source: src/migration/migration.go
// at v2.0.0, v2.1.0 and v2.8.6; gone in v2.9.0.
func (r Release) floorError(row *Row) string {
	if row == nil || row.Version <= 0 || !r.since("2.0.0") || r.since("2.9.0") {
		return ""
	}
	switch {
	case !r.since("2.1.0") && row.Version < 10:
		return "please upgrade to version 1.9 first"
	case r.since("2.1.0") && row.Version < 15:
		return "please upgrade to version 1.10 first"
	}
	return ""
}

// Start says what a core of the release does on a database whose version row
// is row; nil is no row.
func (r Release) Start(row *Row) (Outcome, error) {
	if text := r.floorError(row); text != "" {
		return Outcome{Runs: []Migration{}, Error: text, Log: []string{r.fatalLine(text)}}, nil
	}
	switch {
	case row == nil:
	case row.NullVersion:
		return r.cannotRead(`sql: Scan error on column index 0, name "version": converting NULL to int is unsupported`), nil
	case row.NullDirty:
		return r.cannotRead(`sql: Scan error on column index 1, name "dirty": sql/driver: couldn't convert <nil> (<nil>) into type bool`), nil
	case row.Version < Version(database.NilVersion):
		// golang-migrate does not expect such a number and panics.
		text := fmt.Sprintf("suint(%d) expects input >= 0", row.Version)
		return Outcome{Runs: []Migration{}, Error: text, Log: []string{"panic: " + text}}, nil
	}
	rec := &recorder{version: database.NilVersion}
	if row != nil {
		rec.version, rec.dirty = int(row.Version), row.Dirty
	}
	m, err := migrate.NewWithInstance("release", r.Source(), "recorded", rec)
	if err != nil {
		return Outcome{}, fmt.Errorf("simulating the core of %s: %w", r, err)
	}
	log := &logged{}
	m.Log = log
	err = m.Up()
	switch {
	case err == nil:
		return Outcome{Runs: r.named(rec.ran), Log: []string{"Upgrading schema for pgsql ..."}}, nil
	case errors.Is(err, migrate.ErrNoChange):
		return Outcome{Runs: []Migration{}, Log: []string{"Upgrading schema for pgsql ...", "No change in schema, skip."}}, nil
	}
	text, info := r.wording(err, *log)
	lines := r.failureLines(text)
	return Outcome{Runs: []Migration{}, Error: text, Log: append(append(lines[:1:1], info...), lines[1:]...)}, nil
}

// cannotRead is what a core does with a version table that it cannot read.
func (r Release) cannotRead(text string) Outcome {
	return Outcome{Runs: []Migration{}, Error: text, Log: r.failureLines(text)}
}

// wording says err as the golang-migrate of the release did, and which lines
// it logged beside: v3.3.0 knew no version in the message, v4.11.0 only
// logged it, v4.15.1 and later say it in both.
func (r Release) wording(err error, log []string) (text string, info []string) {
	if !errors.Is(err, fs.ErrNotExist) {
		return err.Error(), nil
	}
	switch r.lockEra() {
	case 0:
		return fs.ErrNotExist.Error(), nil
	case 1:
		var v int
		if _, scan := fmt.Sscanf(err.Error(), "no migration found for version %d", &v); scan != nil {
			return fs.ErrNotExist.Error(), nil
		}
		return fs.ErrNotExist.Error(), []string{fmt.Sprintf("error: no migration found for version %d", v)}
	}
	return err.Error(), log
}

// failureLines are the lines with which a core of the release ends when
// migrating has failed.
func (r Release) failureLines(text string) []string {
	return []string{"Upgrading schema for pgsql ...", fmt.Sprintf("Failed to upgrade schema, error: %q", text), r.fatalLine(text)}
}

// fatalLine is the last line of a core that cannot start. Up to 1.7 it is
// adminserver that migrates.
func (r Release) fatalLine(text string) string {
	switch {
	case !r.since("1.8.0"):
		return "failed to initialize the system: " + text
	case !r.since("2.0.0"):
		return "failed to initialize database: " + text
	case !r.since("2.5.0"):
		return "failed to migrate: " + text
	}
	return "failed to migrate the database, error: " + text
}

// named returns the release's migrations of these versions.
func (r Release) named(versions []Version) []Migration {
	list := []Migration{}
	for _, m := range r.Migrations() {
		for _, v := range versions {
			if m.Version == v {
				list = append(list, m)
			}
		}
	}
	return list
}
