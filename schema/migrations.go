package schema

import (
	"fmt"
	"slices"
)

// Migration is one of Harbor's migration files.
type Migration struct {
	Version Version `json:"version"`
	Title   string  `json:"title"`
	First   string  `json:"first_release"` // lowest release that ships it; "" in a folder of an unknown release, or where no release ships it yet
}

// File returns the name that the file has in make/migrations/postgresql.
func (m Migration) File() string { return fmt.Sprintf("%04d_%s.up.sql", int(m.Version), m.Title) }

// migrations are all of Harbor's migrations in ascending order. A release
// ships all up to its highest, but 2.2.0 lacks 41, which was made for the
// older 2.1 line after 2.2.0.
var migrations = []Migration{
	{1, "initial_schema", "1.6.0"},
	{2, "1.7.0_schema", "1.7.0"},
	{3, "add_replication_op_uuid", "1.7.0"},
	{4, "1.8.0_schema", "1.8.0"},
	{5, "1.8.2_schema", "1.8.2"},
	{10, "1.9.0_schema", "1.9.0"},
	{11, "1.9.1_schema", "1.9.1"},
	{12, "1.9.4_schema", "1.9.4"},
	{15, "1.10.0_schema", "1.10.0"},
	{30, "2.0.0_schema", "2.0.0"},
	{31, "2.0.3_schema", "2.0.3"},
	{40, "2.1.0_schema", "2.1.0"},
	{41, "2.1.4_schema", "2.1.4"},
	{50, "2.2.0_schema", "2.2.0"},
	{51, "2.2.1_schema", "2.2.1"},
	{52, "2.2.2_schema", "2.2.2"},
	{53, "2.2.3_schema", "2.2.3"},
	{60, "2.3.0_schema", "2.3.0"},
	{61, "2.3.4_schema", "2.3.4"},
	{70, "2.4.0_schema", "2.4.0"},
	{71, "2.4.2_schema", "2.4.2"},
	{80, "2.5.0_schema", "2.5.0"},
	{81, "2.5.2_schema", "2.5.2"},
	{82, "2.5.3_schema", "2.5.3"},
	{90, "2.6.0_schema", "2.6.0"},
	{91, "2.6.2_schema", "2.6.2"},
	{100, "2.7.0_schema", "2.7.0"},
	{110, "2.8.0_schema", "2.8.0"},
	{111, "2.8.1_schema", "2.8.1"},
	{120, "2.9.0_schema", "2.9.0"},
	{130, "2.10.0_schema", "2.10.0"},
	{140, "2.11.0_schema", "2.11.0"},
	{150, "2.12.0_schema", "2.12.0"},
	{160, "2.13.0_schema", "2.13.0"},
	{170, "2.14.0_schema", "2.14.0"},
	{171, "2.14.1_schema", "2.14.1"},
	{180, "2.15.0_schema", "2.15.0"},
	{181, "2.15.3_schema", ""},
	{190, "2.16.0_schema", ""},
}

// Migrations returns every migration that Harbor has written, in ascending
// order; the last two are in no release yet.
func Migrations() []Migration { return slices.Clone(migrations) }

// migrationAt returns the migration with that number.
func migrationAt(v Version) (Migration, bool) {
	for _, m := range migrations {
		if m.Version == v {
			return m, true
		}
	}
	return Migration{}, false
}

// Known reports whether Harbor has ever had a migration with that number.
func (v Version) Known() bool {
	_, ok := migrationAt(v)
	return ok
}

// Released reports whether a release ships a migration with that number.
func (v Version) Released() bool {
	m, ok := migrationAt(v)
	return ok && m.First != ""
}
