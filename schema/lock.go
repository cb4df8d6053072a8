package schema

import (
	"context"
	"database/sql"
	"fmt"
	"hash/crc32"
	"slices"
	"time"

	"github.com/harbordb/harbordb/database"
)

// lockSalt is golang-migrate's multiplier for its advisory lock.
const lockSalt = 1486364155

// LockKeys returns the keys of the advisory lock that golang-migrate takes
// while it migrates: the versions in Harbor 1.6–2.0 (v3.3.0), 2.1–2.4
// (v4.11.0), and from 2.5 on (v4.15.1 and later). They differ in the text
// that is hashed; who wants to exclude every core takes all three.
func LockKeys(dbname, schemaname string) [3]int64 {
	key := func(text string) int64 {
		return int64(crc32.ChecksumIEEE([]byte(text)) * lockSalt)
	}
	return [3]int64{
		key(dbname),
		key(schemaname + "\x00/" + dbname),
		key(schemaname + "\x00schema_migrations\x00/" + dbname),
	}
}

// lockUsers are the releases that take each of LockKeys.
var lockUsers = [3]string{"1.6 – 2.0", "2.1 – 2.4", "from 2.5 on"}

// lockEra returns which of the keys the release takes.
func (r Release) lockEra() int {
	switch {
	case r.since("2.5.0"):
		return 2
	case r.since("2.1.0"):
		return 1
	}
	return 0
}

// LockKey returns the key that a core of the release takes on a database; 0
// up to 1.5, which had no such lock.
func (r Release) LockKey(dbname, schemaname string) int64 {
	if r.Engine() != database.PostgreSQL {
		return 0
	}
	return LockKeys(dbname, schemaname)[r.lockEra()]
}

// Activity is what makes a session a migrator.
type Activity string

// The activities that MigrationRunning looks for.
const (
	HoldsLock      Activity = "holds-lock"
	WaitsForLock   Activity = "waits-for-lock"
	ChangesCatalog Activity = "changes-catalog"
	RunsBatch      Activity = "runs-batch"
)

// String is the activity in words.
func (a Activity) String() string {
	switch a {
	case HoldsLock:
		return "holds golang-migrate's lock"
	case WaitsForLock:
		return "waits for golang-migrate's lock"
	case ChangesCatalog:
		return "is changing the catalog"
	case RunsBatch:
		return "is running a batch of statements such as a migration"
	}
	return string(a)
}

// Migrator is a session that holds golang-migrate's lock, waits for it, or
// changes the catalog right now.
type Migrator struct {
	PID      int64    `json:"pid"`
	User     string   `json:"user,omitempty"`
	Client   string   `json:"client,omitempty"` // address; "" for a unix socket
	App      string   `json:"application,omitempty"`
	Activity Activity `json:"activity"`
	// Cores are the releases whose lock it is, such as "2.1 – 2.4"; "" where
	// it is no lock.
	Cores string `json:"lock_of,omitempty"`
	// Exclusive: it holds tables so that nobody else can read them.
	Exclusive bool `json:"exclusive"`
	// Since is when its statement began, by the server's clock; zero where
	// the server does not say.
	Since time.Time `json:"since,omitzero"`
}

// String is one line for people.
func (m Migrator) String() string {
	s := fmt.Sprintf("session %d", m.PID)
	if m.User != "" {
		s += " of " + m.User
	}
	if m.Client != "" {
		s += " from " + m.Client
	}
	if m.App != "" {
		s += " (" + m.App + ")"
	}
	return s + " " + m.Activity.String()
}

// MigrationRunning returns the sessions other than q's own that hold or wait
// for any of golang-migrate's locks on this database, that are changing its
// catalog, or that run a batch like a migration: when a core is killed, its
// batch goes on in the server and may still be committed. No special rights
// are needed: every role sees all locks; statements of other roles it may not
// see, and then the locks alone decide.
func MigrationRunning(ctx context.Context, q database.Querier, e database.Engine) ([]Migrator, error) {
	list, err := dialectOf(e).migrators(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("looking for a running migration: %w", err)
	}
	return list, nil
}

// lockKeysHere returns the keys for the database that q is connected to, for
// every schema that a core could have migrated in.
func lockKeysHere(ctx context.Context, q database.Querier) ([]int64, error) {
	var dbname string
	if err := q.QueryRowContext(ctx, `select pg_catalog.current_database()`).Scan(&dbname); err != nil {
		return nil, err
	}
	schemas, err := column[string](ctx, q, `select nspname::text from pg_catalog.pg_namespace
		where nspname !~ '^pg_' and nspname <> 'information_schema' order by 1`)
	if err != nil {
		return nil, err
	}
	var keys []int64
	for _, s := range schemas {
		k := LockKeys(dbname, s)
		keys = append(keys, k[:]...)
	}
	return keys, nil
}

// pgMigrators takes the keys of the lock. A relation with an oid from 16384
// on is no system catalog; its AccessExclusiveLock is taken by every
// CREATE, ALTER and DROP. The kind of a backend is not known before
// PostgreSQL 10.
const pgMigrators = `
with locker as (
  select pid, bool_or(granted) as held, max(objid::bigint) as key from pg_catalog.pg_locks
  where locktype = 'advisory' and classid = 0 and objsubid = 1 and objid::bigint = any($1)
    and database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
  group by pid
), changer as (
  select distinct pid from pg_catalog.pg_locks
  where locktype = 'relation' and relation >= 16384 and mode = 'AccessExclusiveLock' and granted
    and database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
)
select a.pid::bigint, coalesce(a.usename, '')::text, coalesce(pg_catalog.host(a.client_addr), ''), coalesce(a.application_name, ''),
  case when l.held then 'holds-lock' when l.pid is not null then 'waits-for-lock'
       when c.pid is not null then 'changes-catalog' else 'runs-batch' end, coalesce(l.key, 0), c.pid is not null, a.query_start
from pg_catalog.pg_stat_activity a left join locker l on l.pid = a.pid left join changer c on c.pid = a.pid
where a.datname = pg_catalog.current_database() and a.pid <> pg_catalog.pg_backend_pid()
  and coalesce(pg_catalog.to_jsonb(a) ->> 'backend_type', 'client backend') = 'client backend'
  and a.query !~ '^autovacuum:'
  and (l.pid is not null or c.pid is not null
    or a.state <> 'idle' and (a.query ~* '^\s*do\s+\$' or a.query ~ ';\s*[^\s;]' and a.query ~* '\m(alter|create|drop|update|insert|delete)\M'))
order by a.pid`

func postgresMigrators(ctx context.Context, q database.Querier) ([]Migrator, error) {
	keys, err := lockKeysHere(ctx, q)
	if err != nil {
		return nil, err
	}
	return scanMigrators(ctx, q, keys, pgMigrators, keys)
}

// myMigrators sees no lock: the migrator of the MySQL era takes none.
const myMigrators = `
select id, user, host, '', 'changes-catalog', 0, false, cast(null as datetime)
from information_schema.processlist
where db = database() and id <> connection_id() and command = 'Query'
  and info regexp '^[[:space:]]*(alter|create|drop|rename)[[:space:]]'
order by id`

func mysqlMigrators(ctx context.Context, q database.Querier) ([]Migrator, error) {
	return scanMigrators(ctx, q, nil, myMigrators)
}

// scanMigrators reads sessions. keys are those of the locks, three for each
// schema.
func scanMigrators(ctx context.Context, q database.Querier, keys []int64, query string, args ...any) ([]Migrator, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	list := []Migrator{}
	for rows.Next() {
		var m Migrator
		var since sql.NullTime
		var key int64
		if err := rows.Scan(&m.PID, &m.User, &m.Client, &m.App, &m.Activity, &key, &m.Exclusive, &since); err != nil {
			return nil, err
		}
		m.Since = since.Time
		if i := slices.Index(keys, key); i >= 0 {
			m.Cores = lockUsers[i%len(lockUsers)]
		}
		list = append(list, m)
	}
	return list, rows.Err()
}
