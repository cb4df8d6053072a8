package schema

import (
	"bufio"
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/database"
)

// Kind is a kind of object that Harbor's schema has.
type Kind string

// The kinds that are compared. Indexes are those that back no constraint.
const (
	KindTable      Kind = "table"
	KindColumn     Kind = "column"
	KindConstraint Kind = "constraint"
	KindIndex      Kind = "index"
	KindTrigger    Kind = "trigger"
	KindFunction   Kind = "function"
)

// object names an object of a catalog. Table is "" for a function, Name for a
// table.
type object struct {
	Kind        Kind
	Table, Name string
}

// String names the object for people: "column artifact.icon".
func (o object) String() string {
	switch {
	case o.Name == "":
		return fmt.Sprintf("%s %s", o.Kind, o.Table)
	case o.Table == "":
		return fmt.Sprintf("%s %s", o.Kind, o.Name)
	}
	return fmt.Sprintf("%s %s.%s", o.Kind, o.Table, o.Name)
}

// compare orders objects by table, then kind, then name.
func (o object) compare(p object) int {
	return cmp.Or(cmp.Compare(o.Table, p.Table), cmp.Compare(kindRank(o.Kind), kindRank(p.Kind)), cmp.Compare(o.Name, p.Name))
}

func kindRank(k Kind) int {
	return slices.Index([]Kind{KindTable, KindColumn, KindConstraint, KindIndex, KindTrigger, KindFunction}, k)
}

// catalog is every object of one schema with its definition in a canonical
// text that is the same on PostgreSQL 9.6 to 18 and on MySQL 5.6 to MariaDB
// 11: what servers print differently, and the names of sequences, are left
// out of it.
type catalog map[object]string

// Mark is a schema version of either era: Version from Harbor 1.6 on, Alembic
// before. The zero Mark is the state before the first migration.
type Mark struct {
	Version Version `json:"schema_version,omitempty"`
	Alembic string  `json:"alembic_version,omitempty"`
}

// String returns the version as Harbor writes it, and "none" for the zero
// Mark.
func (m Mark) String() string {
	switch {
	case m.Alembic != "":
		return m.Alembic
	case m.Version == 0:
		return "none"
	}
	return m.Version.String()
}

// Releases returns the releases that end at this version.
func (m Mark) Releases() []Release {
	if m.Alembic != "" {
		return ReleasesAtAlembic(m.Alembic)
	}
	return ReleasesAt(m.Version)
}

// known is a version with the catalog that it has in a fresh install. An
// upgrade step by step leads to the same one.
type known struct {
	Mark
	catalog
}

// catalogFiles are the first version's catalog in full and one file of
// changed lines for each later version; a version without a catalog change
// has an empty one. Columns of a line: kind, table, name, definition.
//
//go:embed catalog
var catalogFiles embed.FS

// knownCatalogs returns the catalogs of every version of an engine's era in
// ascending order.
func knownCatalogs(e database.Engine) ([]known, error) {
	dir := path.Join("catalog", string(e))
	entries, err := fs.ReadDir(catalogFiles, dir)
	if err != nil {
		return nil, err
	}
	var list []known
	now := catalog{}
	for _, entry := range entries {
		text, err := fs.ReadFile(catalogFiles, path.Join(dir, entry.Name()))
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(entry.Name(), path.Ext(entry.Name()))
		now = maps.Clone(now)
		if err := now.apply(string(text)); err != nil {
			return nil, fmt.Errorf("%s: %w", entry.Name(), err)
		}
		mark, err := dialectOf(e).mark(name)
		if err != nil {
			return nil, err
		}
		list = append(list, known{mark, now})
	}
	return list, nil
}

// apply adds the lines of a file: all of them, or those marked + after those
// marked - are gone.
func (c catalog) apply(text string) error {
	var added []string
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := lines.Text()
		rest, removes := strings.CutPrefix(line, "-")
		if !removes {
			added = append(added, strings.TrimPrefix(line, "+"))
			continue
		}
		o, definition, err := parseObject(rest)
		if err != nil {
			return err
		}
		if have, ok := c[o]; !ok || have != definition {
			return fmt.Errorf("line %q removes what is not there", line)
		}
		delete(c, o)
	}
	for _, line := range added {
		o, definition, err := parseObject(line)
		if err != nil {
			return err
		}
		if _, ok := c[o]; ok {
			return fmt.Errorf("line %q adds what is there", line)
		}
		c[o] = definition
	}
	return lines.Err()
}

func parseObject(line string) (object, string, error) {
	f := strings.Split(line, "\t")
	if len(f) != 4 || kindRank(Kind(f[0])) < 0 {
		return object{}, "", fmt.Errorf("line %q is no object", line)
	}
	return object{Kind(f[0]), f[1], f[2]}, f[3], nil
}
