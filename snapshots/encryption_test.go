package snapshots_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/harbordb/harbordb/blobstore/dir"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/internal/registrytest"
	"github.com/harbordb/harbordb/snapshots"
)

// TestMain lets the test binary serve as the program age, by its own library,
// and as a writer that can be killed, under these names.
func TestMain(m *testing.M) {
	programs := map[string]func(args []string) error{"age": runAge, "writer": runWriter}
	name := filepath.Base(os.Args[0])
	program, ok := programs[name]
	if !ok {
		log.SetOutput(io.Discard) // net/http reports there what OpenStack sends too much
		os.Exit(registrytest.Main(m.Run))
	}
	if err := program(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// runAge is age -d -i KEY -o OUT IN.
func runAge(args []string) error {
	if len(args) != 6 || args[0] != "-d" || args[1] != "-i" || args[3] != "-o" {
		return fmt.Errorf("arguments are %q", args)
	}
	key, err := os.Open(args[2])
	if err != nil {
		return err
	}
	keys, err := age.ParseIdentities(key)
	if err != nil {
		return err
	}
	in, err := os.Open(args[5])
	if err != nil {
		return err
	}
	plain, err := age.Decrypt(in, keys...)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(plain)
	if err != nil {
		return err
	}
	return os.WriteFile(args[4], data, 0o600)
}

// pair makes a pair of keys, as text.
func pair(t *testing.T) (secret, public string) {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	check(t, err)
	return key.String(), key.Recipient().String()
}

func recipients(t *testing.T, public ...string) []snapshots.Recipient {
	t.Helper()
	list, err := snapshots.ParseRecipients(strings.Join(public, "\n"))
	check(t, err)
	return list
}

func identity(t *testing.T, secret string) []age.Identity {
	t.Helper()
	keys, err := snapshots.ParseIdentities(strings.NewReader("# a comment\n" + secret + "\n"))
	check(t, err)
	return keys
}

func verifyWith(t *testing.T, store *dir.Store, id snapshots.ID, keys ...age.Identity) snapshots.Verification {
	t.Helper()
	v, err := snapshots.Verify(t.Context(), store, id, renderer, 2, progress.Discard, keys...)
	check(t, err)
	return v
}

func TestAnEncryptedSnapshotOpensWithEachOfItsKeys(t *testing.T) {
	store, path := newStore(t)
	one, public1 := pair(t)
	two, public2 := pair(t)
	stranger, _ := pair(t)
	id := write(t, store, moment, 1, "sealed", sample, recipients(t, public1, public2, public1)...)

	m, err := snapshots.Load(t.Context(), store, id)
	check(t, err)
	if m.Contents != nil || len(m.Encryption.Recipients) != 2 || m.Label != "sealed" {
		t.Errorf("%+v", m)
	}
	for _, secret := range []string{one, two} {
		s, err := snapshots.Open(t.Context(), store, id, identity(t, secret)...)
		check(t, err)
		if got := s.Manifest.Contents.Databases[0].Tables[1].Rows; got != 3 {
			t.Errorf("%d rows", got)
		}
		if v := verifyWith(t, store, id, identity(t, secret)...); len(v.Problems) > 0 || v.Depth != snapshots.DepthContents || v.Rows != 5 {
			t.Errorf("with a key: %+v", v)
		}
	}
	if v := verifyWith(t, store, id); len(v.Problems) > 0 || v.Depth != snapshots.DepthBytes || v.Bytes == 0 {
		t.Errorf("without a key: %+v", v)
	}
	for name, keys := range map[string][]age.Identity{"no key": nil, "another key": identity(t, stranger)} {
		if _, err := snapshots.Open(t.Context(), store, id, keys...); fault.KindOf(err) != fault.Refused || !strings.Contains(fault.HintOf(err), public1) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := snapshots.Verify(t.Context(), store, id, renderer, 1, progress.Discard, identity(t, stranger)...); fault.KindOf(err) != fault.Refused {
		t.Errorf("verify with another key: %v", err)
	}
	requireNoClearText(t, filepath.Join(path, "snapshots", string(id)), "library", "artifact", "sha256:aa", "fingerprint")
}

// requireNoClearText fails where a file of a folder shows one of the words.
func requireNoClearText(t *testing.T, folder string, words ...string) {
	t.Helper()
	check(t, filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		for _, word := range words {
			if bytes.Contains(data, []byte(word)) {
				t.Errorf("%s shows %q", path, word)
			}
		}
		if !strings.HasSuffix(path, ".age") && e.Name() != "manifest.json" && e.Name() != "SHA256SUMS" {
			t.Errorf("%s is in clear", path)
		}
		return err
	}))
}

// Damage anywhere is found with the key and without.
func TestVerifyFindsDamageInAnEncryptedSnapshot(t *testing.T) {
	store, path := newStore(t)
	secret, public := pair(t)
	id := write(t, store, moment, 1, "", sample[:1], recipients(t, public)...)
	keys := identity(t, secret)
	folder := filepath.Join(path, "snapshots", string(id))
	for _, name := range []string{"contents.json.age", "schema.json.age", "data/000001.zst.age"} {
		file := filepath.Join(folder, name)
		whole, err := os.ReadFile(file)
		check(t, err)
		damaged := map[string][]byte{"cut": whole[:len(whole)-1], "longer": append(bytes.Clone(whole), 0), "empty": {}}
		for i := 0; i < len(whole); i += 17 {
			bad := bytes.Clone(whole)
			bad[i] ^= 1
			damaged[fmt.Sprintf("byte %d", i)] = bad
		}
		for what, data := range damaged {
			check(t, os.WriteFile(file, data, 0o600))
			if len(verifyWith(t, store, id).Problems) == 0 || len(verifyWith(t, store, id, keys...).Problems) == 0 {
				t.Errorf("%s, %s: not found", name, what)
			}
		}
		check(t, os.Remove(file))
		if len(verifyWith(t, store, id).Problems) == 0 || len(verifyWith(t, store, id, keys...).Problems) == 0 {
			t.Errorf("%s: its absence is not found", name)
		}
		check(t, os.WriteFile(file, whole, 0o600))
	}
	if v := verifyWith(t, store, id, keys...); len(v.Problems) > 0 {
		t.Error(v.Problems)
	}
}

func TestLoadRefusesAnEncryptedSnapshotWithClearParts(t *testing.T) {
	_, public := pair(t)
	for name, change := range map[string]func(m map[string]any){
		"contents in clear": func(m map[string]any) { m["contents"] = map[string]any{} },
		"an object in clear": func(m map[string]any) {
			m["objects"].([]any)[1].(map[string]any)["name"] = "data/000001.zst"
		},
		"another scheme": func(m map[string]any) { m["encryption"].(map[string]any)["scheme"] = "rot13" },
		"no contents":    func(m map[string]any) { m["objects"] = m["objects"].([]any)[1:] },
	} {
		store, path := newStore(t)
		id := write(t, store, moment, 1, "", sample, recipients(t, public)...)
		rewrite(t, path, id, change)
		if _, err := snapshots.Load(t.Context(), store, id); err == nil {
			t.Errorf("%s: loaded", name)
		}
	}
}

func TestKeysThatCannotBeRead(t *testing.T) {
	secret, public := pair(t)
	other := "x"
	if public[20] == 'x' {
		other = "q"
	}
	for name, text := range map[string]string{
		"nothing": "", "a comment alone": "# age1", "a private key": secret, "SSH": "ssh-ed25519 AAAA", "a plugin": "age1yubikey1qqqq", "a typo": public[:20] + other + public[21:],
	} {
		if _, err := snapshots.ParseRecipients(text); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("recipients of %s: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"nothing": "", "a public key": public, "half a key": secret[:30], "an encrypted file": "age-encryption.org/v1\n-> scrypt", "an armoured one": "-----BEGIN AGE ENCRYPTED FILE-----",
		"too much": strings.Repeat("#\n", 1<<20),
	} {
		if _, err := snapshots.ParseIdentities(strings.NewReader(text)); err == nil || strings.Contains(err.Error(), secret[:30]) {
			t.Errorf("identities of %s: %v", name, err)
		}
	}
}

// The recipe of docs/FORMAT.md, as it stands there, makes of an encrypted
// folder the one that would be in clear, with nothing but sha256sum, age and jq.
func TestDecryptingByHand(t *testing.T) {
	store, path := newStore(t)
	secret, public := pair(t)
	inClear := write(t, store, moment, 1, "", sample)
	sealed := write(t, store, moment, 2, "", sample, recipients(t, public)...)
	text, err := os.ReadFile("../docs/FORMAT.md")
	check(t, err)
	_, recipe, _ := strings.Cut(string(text), "## Decrypting by hand")
	_, recipe, found := strings.Cut(recipe, "```sh\n")
	recipe, _, ended := strings.Cut(recipe, "```")
	if !found || !ended {
		t.Fatal("docs/FORMAT.md has no recipe")
	}
	tools := t.TempDir()
	self, err := os.Executable()
	check(t, err)
	check(t, os.Symlink(self, filepath.Join(tools, "age")))
	key := filepath.Join(tools, "key.txt")
	check(t, os.WriteFile(key, []byte(secret+"\n"), 0o600))
	folder := filepath.Join(path, "snapshots", string(sealed))
	cmd := exec.CommandContext(t.Context(), "bash", "-c", "set -euo pipefail\n"+strings.ReplaceAll(recipe, "key.txt", key))
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "PATH="+tools+":"+os.Getenv("PATH"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want, err := snapshots.Load(t.Context(), store, inClear)
	check(t, err)
	for _, o := range want.Objects {
		a, err := os.ReadFile(filepath.Join(path, "snapshots", string(inClear), o.Name))
		check(t, err)
		b, err := os.ReadFile(filepath.Join(folder, o.Name))
		check(t, err)
		if !bytes.Equal(a, b) {
			t.Errorf("%s is not what it would be in clear", o.Name)
		}
	}
	var opened struct{ Contents snapshots.Contents }
	data, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	check(t, err)
	check(t, json.Unmarshal(data, &opened))
	if len(opened.Contents.Databases) != 1 || len(opened.Contents.Databases[0].Tables) != 3 {
		t.Errorf("%s", data)
	}
}
