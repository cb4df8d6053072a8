package postgres

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/fault"
)

// The room is known where the server's own folder can be read, over its socket
// and over the loopback; a snapshot that cannot fit is refused, one that may
// fit is not.
func TestRoomOfAServerOnThisMachine(t *testing.T) {
	there := dbtest.PostgreSQL(t)
	name := there.CreateDatabase(t).Database
	for how, at := range map[string]database.Settings{"socket": there.Settings(name), "loopback": there.TCP(name)} {
		s, err := OpenServer(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if note, err := s.checkRoom(t.Context(), 10, 1000); err != nil || note != "" {
			t.Errorf("%s, with plenty of room: %q, %v", how, note, err)
		}
		if note, err := s.checkRoom(t.Context(), 10, 1<<50); err != nil || !strings.Contains(note, "MB free") {
			t.Errorf("%s: %q, %v", how, note, err)
		}
		if _, err := s.checkRoom(t.Context(), 1<<50, 1<<51); fault.KindOf(err) != fault.Refused {
			t.Errorf("%s: %v", how, err)
		}
	}
}

func TestHostsOfOtherMachines(t *testing.T) {
	for host, here := range map[string]bool{"/var/run/postgresql": true, "127.0.0.1": true, "::1": true, "localhost": true, "10.0.0.7": false, "db": false, "": false} {
		if isHere(host) != here {
			t.Errorf("%q: %v", host, !here)
		}
	}
}

// A folder of the same name may be another server's, or a copy.
func TestFoldersThatAreNotTheServers(t *testing.T) {
	const system, started = 1, 1700000000
	control := binary.NativeEndian.AppendUint64(nil, system)
	lines := func(at string) string { return "12\n/data\n" + at + "\n5432\n" }
	for name, c := range map[string]struct {
		control []byte
		lock    string
		is      bool
	}{
		"its own":                {control, lines("1699999990"), true},
		"another identifier":     {binary.NativeEndian.AppendUint64(nil, system+1), lines("1699999990"), false},
		"a copy started later":   {control, lines("1700000005"), false},
		"a copy started earlier": {control, lines("1699990000"), false},
		"cut short":              {control[:3], lines("1699999990"), false},
		"not running":            {control, "", false},
		"no time":                {control, lines("soon"), false},
	} {
		folder := t.TempDir()
		if err := os.Mkdir(filepath.Join(folder, "global"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "global", "pg_control"), c.control, 0o600); err != nil {
			t.Fatal(err)
		}
		if c.lock != "" {
			if err := os.WriteFile(filepath.Join(folder, "postmaster.pid"), []byte(c.lock), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if is := isFolderOf(folder, system, started); is != c.is {
			t.Errorf("%s: %v", name, is)
		}
	}
}
