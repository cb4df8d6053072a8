package database

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// dialect is what differs between the engines: text, and the few steps that
// text cannot say.
type dialect struct {
	oldest Server
	// server reads what the server is.
	server func(ctx context.Context, q Querier) (Server, error)
	// clock selects the server's time in UTC as text of clockForm.
	clock string
	// identity are queries for an identity of the server; a server or a
	// role that does not know one of them fails it.
	identity []string
	// databaseSize selects the bytes of the current database, tableSizes
	// schema, name and bytes of its largest tables, the largest first, at
	// most as many as its one parameter says.
	databaseSize, tableSizes string
	// pooled finds out whether something between us and the server hands
	// our statements to changing sessions.
	pooled func(ctx context.Context, conn *sql.Conn) (bool, error)
	// unknowable says of the error of an identity query that the server
	// cannot or will not answer it, ever.
	unknowable func(error) bool
}

// clockForm is how both dialects write a moment: in UTC, in microseconds.
const clockForm = "2006-01-02 15:04:05.999999"

// Now returns the server's clock, in UTC. Ages are told by this clock alone.
func (db *DB) Now(ctx context.Context) (time.Time, error) {
	var text string
	if err := db.QueryRowContext(ctx, db.dialect.clock).Scan(&text); err != nil {
		return time.Time{}, fmt.Errorf("read the clock of the server at %s: %w", db.settings, err)
	}
	now, err := time.ParseInLocation(clockForm, text, time.UTC)
	if err != nil {
		return time.Time{}, fmt.Errorf("read the clock of the server at %s: %w", db.settings, err)
	}
	return now, nil
}

// SystemIdentifier returns a name for the server that stays the same as long
// as its data: PostgreSQL's system identifier, MySQL's server_uuid. Where the
// server has none, as MariaDB, or keeps it from this role, it is a digest of
// host and port, beginning with "host-". A server that fails to answer is an
// error.
func (db *DB) SystemIdentifier(ctx context.Context) (string, error) {
	for _, query := range db.dialect.identity {
		var id sql.NullString
		err := db.QueryRowContext(ctx, query).Scan(&id)
		switch {
		case err == nil && id.String != "":
			return id.String, nil
		case err == nil || errors.Is(err, sql.ErrNoRows) || db.dialect.unknowable(err):
			continue
		}
		return "", fmt.Errorf("read the identity of the server at %s: %w", db.settings, err)
	}
	sum := sha256.Sum256([]byte(db.settings.Host + ":" + strconv.Itoa(db.settings.Port)))
	return fmt.Sprintf("host-%x", sum[:8]), nil
}

// Size is how much room something takes in the database, in bytes.
type Size struct {
	Schema string `json:"schema,omitempty"` // of a table, in PostgreSQL
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
}

// Size returns the size of the database as the server counts it, indexes
// included.
func (db *DB) Size(ctx context.Context) (int64, error) {
	var bytes int64
	if err := db.QueryRowContext(ctx, db.dialect.databaseSize).Scan(&bytes); err != nil {
		return 0, fmt.Errorf("read the size of %s: %w", db.settings, err)
	}
	return bytes, nil
}

// LargestTables returns the sizes of the n largest tables, indexes and TOAST
// included, the largest first.
func (db *DB) LargestTables(ctx context.Context, n int) ([]Size, error) {
	rows, err := db.QueryContext(ctx, db.dialect.tableSizes, n)
	if err != nil {
		return nil, fmt.Errorf("read the sizes of tables of %s: %w", db.settings, err)
	}
	defer rows.Close()
	sizes := []Size{}
	for rows.Next() {
		var s Size
		if err := rows.Scan(&s.Schema, &s.Name, &s.Bytes); err != nil {
			return nil, fmt.Errorf("read the sizes of tables of %s: %w", db.settings, err)
		}
		sizes = append(sizes, s)
	}
	return sizes, rows.Err()
}

// quotes is the character that encloses an identifier.
var quotes = map[Engine]string{PostgreSQL: `"`, MySQL: "`"}

// QuoteIdent writes a name, or with several parts a qualified one, as an
// identifier of the engine: whatever the name, the result is one identifier
// and stands for exactly that name. NUL, which neither engine allows in a
// name, is left out.
func (e Engine) QuoteIdent(parts ...string) string {
	q := quotes[e]
	quoted := make([]string, len(parts))
	for i, part := range parts {
		part = strings.ReplaceAll(part, "\x00", "")
		quoted[i] = q + strings.ReplaceAll(part, q, q+q) + q
	}
	return strings.Join(quoted, ".")
}

var versionNumber = regexp.MustCompile(`^(\d+)\.(\d+)(?:\.(\d+))?`)

// parseVersion turns "10.11.19-MariaDB" into 101119.
func parseVersion(version string) (int, error) {
	m := versionNumber.FindStringSubmatch(version)
	if m == nil {
		return 0, fmt.Errorf("%q is not a version", version)
	}
	number := 0
	for i, text := range m[1:] {
		n, err := strconv.Atoi("0" + text)
		if err != nil {
			return 0, fmt.Errorf("%q is not a version", version)
		}
		if i > 0 {
			n = min(n, 99) // each part has two digits
		}
		number = number*100 + n
	}
	return number, nil
}
