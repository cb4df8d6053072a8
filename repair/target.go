package repair

import (
	"context"
	"fmt"
	"strings"

	"github.com/harbordb/harbordb/database"
)

// Target names the database that a repair belongs to.
type Target struct {
	Engine   database.Engine `json:"engine"`
	System   string          `json:"system"` // the server's identity
	Database string          `json:"database"`
	Server   string          `json:"server"` // user, host and port for people; no password
}

func targetOf(ctx context.Context, db *database.DB) (Target, error) {
	system, err := db.SystemIdentifier(ctx)
	if err != nil {
		return Target{}, err
	}
	settings := db.Settings()
	return Target{Engine: db.Engine(), System: system, Database: settings.Database, Server: settings.String()}, nil
}

// same reports whether two targets are one database. A server that does not
// say what it is cannot be told from another; its rows can.
func (t Target) same(other Target) bool {
	known := func(x Target) bool { return x.System != "" && !strings.HasPrefix(x.System, "host-") }
	return t.Engine == other.Engine && t.Database == other.Database &&
		(t.System == other.System || !known(t) || !known(other))
}

// String is the target for people.
func (t Target) String() string {
	return fmt.Sprintf("database %s (server %s, %s)", t.Database, t.System, t.Server)
}
