package backup_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/internal/dbtest"
)

// An encrypted snapshot of a MySQL Harbor holds no clear text, restores exactly
// with its key, and not with another.
func TestMySQLEncryptedRoundTrip(t *testing.T) {
	key, err := age.GenerateX25519Identity()
	check(t, err)
	other, err := age.GenerateX25519Identity()
	check(t, err)
	folder := t.TempDir()
	identity, wrong := filepath.Join(folder, "key.txt"), filepath.Join(folder, "other.txt")
	check(t, os.WriteFile(identity, []byte(key.String()+"\n"), 0o600))
	check(t, os.WriteFile(wrong, []byte(other.String()+"\n"), 0o600))
	for name, server := range mySQLServers(t) {
		t.Run(name, func(t *testing.T) {
			settings := filledMySQL(t, server, "1.5.0")
			server.Exec(t, settings.Database, extras)
			server.Exec(t, settings.Database, "UPDATE user SET salt = 'NobodyMayReadThis' LIMIT 1")
			k := &killedRestore{t: t, server: server, settings: settings, over: server.TCP(settings.Database),
				folder: filepath.Join(t.TempDir(), "store")}
			k.run("backup", "--recipient", key.Recipient().String(), "--verify")
			k.run("snapshots", "verify", "latest")
			k.run("snapshots", "verify", "latest", "--identity", identity)
			requireNoClearText(t, k.folder, "NobodyMayReadThis", "z_repositories", "access_log")

			out, err := mySQLProgram(t, k.over, k.folder, "restore", "latest", "--identity", wrong).CombinedOutput()
			if err == nil || !strings.Contains(string(out), "not to the identity given") {
				t.Errorf("with another's key: %v\n%s", err, out)
			}
			before := mySQLContents(t, server, settings.Database)
			server.Exec(t, settings.Database, "DELETE FROM audit; DROP VIEW a_view")
			k.run("restore", "latest", "--identity", identity, "--allow-unknown-objects")
			dbtest.RequireSame(t, before, mySQLContents(t, server, settings.Database))
			if list := beside(t, settings); len(list) != 1 || list[0].Kind != target.SetAside {
				t.Errorf("beside it: %v", list)
			}
		})
	}
}

// requireNoClearText looks for words in the files of a folder as they are.
func requireNoClearText(t *testing.T, folder string, words ...string) {
	t.Helper()
	files := 0
	check(t, filepath.WalkDir(folder, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		for _, w := range words {
			if bytes.Contains(data, []byte(w)) {
				t.Errorf("%s holds %q in clear", path, w)
			}
		}
		return err
	}))
	if files == 0 {
		t.Error("there is no file")
	}
}
