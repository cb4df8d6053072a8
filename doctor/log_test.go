package doctor

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func read(t *testing.T, text string) *Log {
	t.Helper()
	l := &Log{}
	if err := l.Read(t.Context(), "core.log", strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	return l
}

func idsOf(l *Log) []string {
	var list []string
	for _, m := range l.Matches() {
		list = append(list, m.ID)
	}
	return list
}

// quoted are lines as operators and releases have printed them, by what they
// are to be recognised as.
var quoted = []struct{ id, line string }{
	{"downgrade", `[ERROR] [/common/dao/pgsql.go:112]: Failed to upgrade schema, error: "file does not exist"`},
	{"downgrade", `[FATAL] [/core/main.go:103]: failed to initialize database: file does not exist`},
	{"downgrade", `[FATAL] [main.go:103]: failed to initialize the system: file does not exist`},
	{"downgrade", `[FATAL] [/core/main.go:190]: failed to migrate: file does not exist`},
	{"downgrade", `[INFO] [/common/dao/pgsql.go:127]: error: no migration found for version 180`},
	{"downgrade", `[FATAL] [/core/main.go:190]: failed to migrate the database, error: no migration found for version 180: read down for version 180 .: file does not exist`},
	{"dirty", `[ERROR] [/common/dao/pgsql.go:112]: Failed to upgrade schema, error: "Dirty database version 50. Fix and force version."`},
	{"dirty", `[FATAL] [/core/main.go:103]: failed to initialize database: Dirty database version 10. Fix and force version.`},
	{"migration-lock", `[FATAL] [/core/main.go:103]: failed to initialize database: timeout: can't acquire database lock`},
	{"too-old", `[FATAL] [/core/main.go:190]: failed to migrate: please upgrade to version 1.9 first`},
	{"migration-again", `[ERROR] [/common/dao/pgsql.go:112]: Failed to upgrade schema, error: "migration failed in line 0: CREATE TABLE quota (` + "\n  id serial\n);\n" + ` (details: pq: relation "quota" already exists)"`},
	{"migration-failed", `[ERROR] [/common/dao/pgsql.go:140]: Failed to upgrade schema, error: "migration failed: invalid input syntax for type json (column 1) in line 3: UPDATE x` + "\n" + ` (details: ERROR: invalid input syntax for type json (SQLSTATE 22P02))"`},
	{"data-migrations", `[FATAL] [/core/main.go:190]: failed to migrate: there should be only one record in the table data_migrations, but found 2 records`},
	{"quota-migration", `[FATAL] [/core/main.go:200]: quota migration error, Get "http://registry:5000/v2/": dial tcp: lookup registry`},
	{"database-folder", `Upgrading from PostgreSQL 9.6 to PostgreSQL 13 is not supported in the current Harbor release.`},
	{"database-folder", `incorrect data: /var/lib/postgresql/data/pg12, make sure it is right`},
	{"database-new", `init DB, DB version:13`},
	{"sequence-behind", `[ERROR] [/lib/http/error.go:54]: {"errors":[{"code":"UNKNOWN","message":"unknown: ERROR: duplicate key value violates unique constraint \"blob_pkey\" (SQLSTATE 23505)"}]}`},
	{"numbers-used-up", `ERROR: nextval: reached maximum value of sequence "robot_id_seq" (2147483647)`},
	{"numbers-used-up", `ERROR: integer out of range (SQLSTATE 22003)`},
	{"replication-skipped", `[WARNING] [/controller/replication/controller.go:160]: Execution skipped: active replication still in progress.`},
	{"broken-manifest", `filesystem: Path not found: /docker/registry/v2/repositories/library/a/_manifests/revisions/sha256/03d7aa/link`},
	{"missing-blob", `swift: Path not found: /docker/registry/v2/blobs/sha256/e7/e7dd0b/data`},
	{"escape", `details: ERROR: unsupported Unicode escape sequence (SQLSTATE 22P05)`},
	{"quota-missing", `[ERROR] [/server/middleware/quota/quota.go:99]: quota usage not found for (project, 12)`},
	{"scan-schedules", `found more than one scheduled scan all job, please ensure that only one schedule left`},
	{"sweep", `ERROR: update or delete on table "execution" violates foreign key constraint "task_execution_id_fkey" on table "task" (SQLSTATE 23503)`},
	{"policy-blocked", `have pending/running/retrying status`},
	{"policy-blocked", `[ERROR] [/core/api/base.go:61]: policy has running/retrying/pending jobs, can not be deleted`},
	{"policy-blocked", `{"errors":[{"code":"PRECONDITION","message":"the policy 8 has running executions, can not be deleted"}]}`},
	{"policy-blocked", `the execution 9 has tasks that aren't in final status, stop the tasks first`},
	{"policy-blocked", `contains executions that aren't in final status, stop the execution first`},
	{"preheat-blocked", `execution 4 under the policy daily is running, stop it and retry`},
	{"scan-all-blocked", `a previous scan all job aleady exits, its status is Running`},
	{"schedule-lost", `[ERROR] [/jobservice/sync/schedule.go:201]: no execution found for schedule: RETENTION:4`},
	{"replication-1.9", `List tags for repo 'ai-cloud/quay.io/coreos/kube-state-metrics' error: http error: code 500, message`},
	{"replication-1.9", `the execution 11 failed: failed to fetch image: FetchImages error when collect tags for repos`},
	{"tag-race", `pull manifest from local registry failed404 tag unknown, tag=xxx.`},
	{"broken-tag", `failed to delete tag v2: 500 {"errors":[{"code":"UNKNOWN","message":"unknown error","detail":{"Path":"/docker/registry/v2/repositories/libriry/test/_manifests/tags/v1/current/link","DriverName":"filesystem"}}]}`},
	{"broken-tag", `time="2020-01-02T03:04:05Z" level=error msg="response completed with error" err.code=unknown err.detail="filesystem: Path not found: /docker/registry/v2/repositories/libriry/test/_manifests/tags/v1/current/link" err.message="unknown error"`},
	{"upload-lost", `s3aws: Path not found: /docker/registry/v2/repositories/gitlab-ci/100017681/_uploads/9ac3ea44-cbb6-4a1b-8048-6e59767c7370/data`},
	{"storage-walk", `github.com/docker/distribution/registry/storage/driver/s3-aws.(*driver).doWalk(0xc0001, 0xc0002)`},
	{"storage-token", `net/http: HTTP/1.x transport connection broken: http: ContentLength=20 with Body length 0`},
	{"certificate", `x509: certificate has expired or is not yet valid: current time 2021-10-01T00:00:00Z is after 2021-09-30T14:01:15Z`},
	{"certificate", `curl: (60) issuer's certificate expired`},
	{"admiral-url", `[ERROR] [manager.go:192]: failed to get key admiral_url, error: the configure value is not set`},
	{"timezone", `Detect DB timezone: UCT open /usr/local/go/lib/time/zoneinfo.zip: no such file or directory`},
	{"capacity", `[WARNING] [/common/http.go:3]: The path /data is not found, will return zero value of capacity`},
	{"not-logged-in", `172.18.0.9 - "GET /api/users/current HTTP/1.1" 401 0 "https://harbor/" "Mozilla"`},
	{"not-logged-in", `2020/01/02 03:04:05 [D] [server.go:2774] |   172.18.0.9| 401 |   1.1ms|   match| GET      /api/users/current   r:/api/users/:id`},
}

// disguises are what happens to a line on its way from a container into a
// ticket and back.
var disguises = map[string]func(string) string{
	"as it is":        func(s string) string { return s },
	"short prefix":    func(s string) string { return "2019-10-18T01:02:03Z " + prefixes.ReplaceAllString(s, "[$1.go:7]") },
	"long prefix":     func(s string) string { return "2019-10-18T01:02:03Z " + prefixes.ReplaceAllString(s, "[/a/b/$1.go:7]") },
	"syslog":          func(s string) string { return "Oct  8 01:02:03 172.18.0.1 core[1234]: " + s },
	"docker compose":  func(s string) string { return "harbor-core  | " + s },
	"kubectl":         func(s string) string { return "[pod/harbor-core-7d4c5/core] 2019-10-18T01:02:03Z " + s },
	"curly quotes":    func(s string) string { return curly.Replace(s) },
	"colours":         func(s string) string { return "\x1b[31m" + s + "\x1b[0m" },
	"carriage return": func(s string) string { return s + "\r" },
	"lost blanks":     func(s string) string { return strings.ReplaceAll(s, " ", "") },
	"more blanks":     func(s string) string { return strings.ReplaceAll(s, " ", " \u00a0 ") },
	"wrapped at 20":   func(s string) string { return wrap(s, 20) },
	"wrapped at 79":   func(s string) string { return wrap(s, 79) },
	"docker's own file": func(s string) string {
		b, _ := json.Marshal(map[string]string{"log": s + "\n", "stream": "stderr", "time": "2019-10-18T01:02:03Z"})
		return strings.Replace(string(b), `{"log"`, `{"log"`, 1)
	},
}

var (
	prefixes = regexp.MustCompile(`\[[/a-z]*?([a-z]+)\.go:\d+\]`)
	curly    = strings.NewReplacer(`"`, "”", `'`, "’")
)

// wrap cuts lines as a terminal does, in the middle of words.
func wrap(s string, width int) string {
	var b strings.Builder
	for _, line := range strings.Split(s, "\n") {
		for len(line) > width {
			b.WriteString(line[:width] + "\n")
			line = line[width:]
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

func TestQuotedLinesAreRecognised(t *testing.T) {
	for _, q := range quoted {
		for name, disguise := range disguises {
			text := "2019-10-18T01:02:02Z [INFO] [/core/main.go:1]: before\n" + disguise(q.line) + "\n2019-10-18T01:02:04Z [INFO] [/core/main.go:2]: after\n"
			if got := idsOf(read(t, text)); !slices.Equal(got, []string{q.id}) {
				t.Errorf("%s, %s: %v, want %s", name, q.line, got, q.id)
			}
		}
	}
}

func TestEachKnownLineIsQuoted(t *testing.T) {
	for _, k := range knownLines {
		if k.means == "" || k.next == "" {
			t.Errorf("%s says nothing", k.id)
		}
		if !slices.ContainsFunc(quoted, func(q struct{ id, line string }) bool { return q.id == k.id && k.count(squeeze(q.line)) > 0 }) {
			t.Errorf("no line is quoted for %s (%s)", k.id, k.form)
		}
	}
}

func TestHealthyLogGivesNothing(t *testing.T) {
	text, err := os.ReadFile("testdata/healthy.log")
	if err != nil {
		t.Fatal(err)
	}
	l := read(t, string(text))
	if len(l.Matches()) > 0 || !l.Healthy() {
		t.Errorf("%+v", l.Matches())
	}
	if l.Records < 20 {
		t.Errorf("%d records", l.Records)
	}
}

func TestRepetitionsAreCounted(t *testing.T) {
	line := "2019-10-18T01:02:03Z [ERROR] [manager.go:192]: failed to get key admiral_url, error: the configure value is not set\n"
	l := read(t, "first\n"+strings.Repeat(line, 300)+"2019-10-18T01:02:03Z [FATAL] [/core/main.go:103]: failed to initialize database: file does not exist")
	list := l.Matches()
	if len(list) != 2 || list[0].ID != "downgrade" || list[1].Count != 300 || list[1].Line != 2 || list[0].Line != 302 || l.Healthy() {
		t.Errorf("%+v", list)
	}
}

func TestHarmlessLinesAreHealthy(t *testing.T) {
	if l := read(t, "failed to get key admiral_url, error: the configure value is not set"); !l.Healthy() || len(l.Matches()) != 1 {
		t.Errorf("%+v", l.Matches())
	}
}

func TestLongRecords(t *testing.T) {
	sql := strings.Repeat("  insert into x values (1);\n", 20000)
	l := read(t, `[ERROR] [/common/dao/pgsql.go:112]: Failed to upgrade schema, error: "migration failed in line 0: `+sql+` (details: pq: relation "quota" already exists)"`)
	if got := idsOf(l); !slices.Equal(got, []string{"migration-again"}) {
		t.Errorf("%v", got)
	}
	l = read(t, strings.Repeat("x", 5<<20)+"\n[FATAL] [/core/main.go:103]: failed to initialize database: file does not exist\n")
	if got := idsOf(l); !slices.Equal(got, []string{"downgrade"}) {
		t.Errorf("%v", got)
	}
}

// TestPackedLogs: what logrotate and docker compress is read, and what
// PowerShell writes is refused, because both would look healthy.
func TestPackedLogs(t *testing.T) {
	line := quoted[0].line
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(line)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if l := read(t, packed.String()); !slices.Equal(idsOf(l), []string{"downgrade"}) {
		t.Errorf("recognised %q", idsOf(l))
	}
	for name, text := range map[string]string{
		"UTF-16":       "\xff\xfe[\x00E\x00",
		"cut off":      packed.String()[:packed.Len()/2],
		"no gzip data": "\x1f\x8b nothing",
	} {
		if err := new(Log).Read(t.Context(), "core.log", strings.NewReader(text)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestReadErrors(t *testing.T) {
	broken := errors.New("the pipe broke")
	err := (&Log{}).Read(t.Context(), "core.log", iotest.ErrReader(broken))
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "core.log") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (&Log{}).Read(ctx, "x", strings.NewReader("a\nb\n")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func FuzzLog(f *testing.F) {
	for _, q := range quoted[:8] {
		f.Add(q.line)
	}
	f.Add("{\"log\":\"\\u0000\\n\"}\n\xff\xfe[ERROR]")
	f.Fuzz(func(t *testing.T, text string) {
		l := &Log{}
		if err := l.Read(t.Context(), "fuzz", strings.NewReader(text)); err != nil {
			if start := text[:min(2, len(text))]; !slices.Contains([]string{"\x1f\x8b", "\xff\xfe", "\xfe\xff"}, start) {
				t.Fatal(err)
			}
			return
		}
		for _, m := range l.Matches() {
			if m.Count < 1 || m.Line < 1 {
				t.Errorf("%+v", m)
			}
		}
	})
}
