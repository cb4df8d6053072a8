package backup

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/backup/mysql"
	"github.com/harbordb/harbordb/backup/postgres"
	"github.com/harbordb/harbordb/backup/source"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/snapshots"
)

// neighbours list the databases that a server of each engine has beside the one
// that db is connected to.
var neighbours = map[database.Engine]func(context.Context, *database.DB) ([]source.Neighbour, error){
	database.PostgreSQL: postgres.Neighbours,
	database.MySQL:      mysql.Neighbours,
}

// Companion is a database of another part of Harbor on the same server.
type Companion struct {
	Name  string `json:"name"`
	Of    string `json:"of"` // what it belongs to, such as "Notary server"
	Bytes int64  `json:"bytes"`
	// Rebuilt: its service fills it again by itself.
	Rebuilt bool `json:"rebuilt"`
}

// parts tell the databases of Harbor's parts by a table that no other has:
// their names are settings. Notary came with Harbor 1.1 and went with 2.9;
// Clair, up to 2.1, kept its tables in the database postgres of the bundled
// server.
var parts = []struct {
	table, of string
	rebuilt   bool
}{
	{table: "tuf_files", of: "Notary server"},
	{table: "private_keys", of: "Notary signer"},
	{table: "vulnerability_fixedin_feature", of: "Clair", rebuilt: true},
}

// Companions finds the databases beside db's that belong to another part of a
// Harbor, ascending by name. It cannot tell whether it is the same Harbor.
func Companions(ctx context.Context, db *database.DB) ([]Companion, error) {
	beside, err := neighbours[db.Engine()](ctx, db)
	if err != nil {
		return nil, fmt.Errorf("look at the databases beside %s: %w", db.Settings().Database, err)
	}
	var list []Companion
	for _, n := range beside {
		for _, p := range parts {
			if n.Closed == "" && slices.Contains(n.Tables, p.table) {
				list = append(list, Companion{Name: n.Name, Of: p.of, Bytes: n.Bytes, Rebuilt: p.rebuilt})
				break
			}
		}
	}
	return list, nil
}

// CheckCompanions turns the names of databases that are to be taken with db's
// into Options.Companions: db's own is left out, for it is always taken. It
// refuses as a fault of kind Usage what is named twice, what the server does
// not have, and what belongs to the server itself.
func CheckCompanions(ctx context.Context, db *database.DB, names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	beside, err := neighbours[db.Engine()](ctx, db)
	if err != nil {
		return nil, fmt.Errorf("look at the databases beside %s: %w", db.Settings().Database, err)
	}
	var companions []string
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return nil, fault.Usagef("--databases names %s twice", name)
		}
		if name == db.Settings().Database {
			continue
		}
		if err := checkCompanion(beside, name); err != nil {
			return nil, err
		}
		companions = append(companions, name)
	}
	return companions, nil
}

// Present returns those of the names that db's server has a database of, beside
// db's own.
func Present(ctx context.Context, db *database.DB, names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	beside, err := neighbours[db.Engine()](ctx, db)
	if err != nil {
		return nil, fmt.Errorf("look at the databases beside %s: %w", db.Settings().Database, err)
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return !slices.ContainsFunc(beside, func(n source.Neighbour) bool { return n.Name == name && n.Closed == "" })
	}), nil
}

func checkCompanion(beside []source.Neighbour, name string) error {
	var open []string
	for _, n := range beside {
		switch {
		case n.Closed == "":
			open = append(open, n.Name)
		case n.Name == name:
			return fault.Usagef("--databases: database %s %s", name, n.Closed)
		}
	}
	if slices.Contains(open, name) {
		return nil
	}
	err := fault.Usagef("--databases: the server has no database %q", name)
	if len(open) == 0 {
		return err.WithHint("there is none beside the Harbor database")
	}
	return err.WithHint("beside the Harbor database it has %s", strings.Join(open, ", "))
}

// CompanionsOf returns the databases that a snapshot holds beside Harbor's own.
func CompanionsOf(s *snapshots.Snapshot) []*snapshots.Database {
	var list []*snapshots.Database
	databases := s.Manifest.Contents.Databases
	for i := range databases {
		if d := &databases[i]; d.Name != s.Manifest.Source.Database {
			list = append(list, d)
		}
	}
	return list
}
