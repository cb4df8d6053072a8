package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/harbordb/harbordb/internal/dbtest"
)

// installed is Harbor's project with our file on top, as compose sees it.
func installed(t testing.TB, variables types.Mapping) *types.Project {
	t.Helper()
	folder, err := filepath.Abs("testdata/compose")
	if err != nil {
		t.Fatal(err)
	}
	project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  folder,
		Environment: variables,
		ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(folder, "docker-compose.yml")}, {Filename: "compose/harbordb.yml"}},
	}, func(o *loader.Options) {
		o.SetProjectName("harbor", true)
		o.Profiles = []string{"maintenance"}
	})
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// service is ours as a container, with its volumes in folders of the test.
func service(t testing.TB, project *types.Project, args ...string) container {
	t.Helper()
	s, err := project.GetService("harbordb")
	if err != nil {
		t.Fatal(err)
	}
	if len(args) == 0 {
		args = s.Command
	}
	c := theImage(t).container(args...)
	c.readOnly = s.ReadOnly
	for name, value := range s.Environment {
		c.env[name] = *value
	}
	for _, v := range s.Volumes {
		c.mounts = append(c.mounts, mount{v.Source, v.Target, v.ReadOnly})
	}
	for _, target := range s.Tmpfs {
		c.mounts = append(c.mounts, mount{source: openFolder(t), target: target})
	}
	return c
}

// reach puts the server's port and password in the place of those in testdata.
func (c container) reach(server *dbtest.Server) {
	c.env["POSTGRESQL_PORT"], c.env["POSTGRESQL_PASSWORD"] = portOf(server), password
}

func openFolder(t testing.TB) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	return folder
}

// ownFolder is a folder as the README has it made for the store.
func ownFolder(t testing.TB) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "harbordb")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(folder, userID, userID); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestComposeServiceFitsHarborsFile(t *testing.T) {
	s, err := installed(t, nil).GetService("harbordb")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Networks["harbor"]; !ok || len(s.Networks) != 1 || len(s.Ports) > 0 {
		t.Errorf("networks %v, ports %v", s.Networks, s.Ports)
	}
	if !s.ReadOnly || len(s.CapDrop) != 1 || s.CapDrop[0] != "ALL" || s.Privileged {
		t.Errorf("the service has more rights than it needs")
	}
	if *s.Environment["POSTGRESQL_HOST"] != "postgresql" {
		t.Errorf("environment: %v", s.Environment)
	}
	for _, v := range s.Volumes {
		if v.Target != "/var/lib/harbordb" && !v.ReadOnly {
			t.Errorf("%s can be written", v.Target)
		}
	}
	if len(s.Profiles) == 0 {
		t.Error("it would start with Harbor")
	}
}

func TestComposeService(t *testing.T) {
	server, _ := harborServer(t)
	data := t.TempDir()
	if err := os.Rename(brokenRegistry(t), filepath.Join(data, "registry")); err != nil {
		t.Fatal(err)
	}
	project := installed(t, types.Mapping{"HARBORDB_STORE_DIR": ownFolder(t), "HARBOR_DATA": data})

	run := func(code int, args ...string) result {
		t.Helper()
		c := service(t, project, args...)
		c.reach(server)
		c.mounts = append(c.mounts, hosts(t, "postgresql"))
		r := c.run(t)
		if r.code != code {
			t.Fatalf("%q: %+v", args, r)
		}
		return r
	}
	run(0) // backup, as the service says
	if ls := run(0, "snapshots", "ls").stdout; !snapshotID.MatchString(ls) {
		t.Errorf("no snapshot: %s", ls)
	}
	if found := run(3, "orphans", "scan").stdout; !strings.Contains(found, "library/photon") {
		t.Errorf("found: %s", found)
	}
}

// Docker passes each line of an env file as it is.
func TestContainerInHarborsNetwork(t *testing.T) {
	server, _ := harborServer(t)
	words := strings.Fields(lineOf(t, "compose/README.md", "docker run "))
	c := theImage(t).container(words[len(words)-1])
	env, err := os.ReadFile(filepath.Join("testdata/compose", flagOf(t, words, "--env-file")))
	if err != nil {
		t.Fatal(err)
	}
	c.setenv(strings.Split(strings.TrimSpace(string(env)), "\n")...)
	_, target, _ := strings.Cut(flagOf(t, words, "-v"), ":")
	c.mounts = []mount{{source: ownFolder(t), target: target}, hosts(t, "postgresql")}
	c.reach(server)
	if r := c.run(t); r.code != 0 || !snapshotID.MatchString(r.stdout) {
		t.Errorf("%+v", r)
	}
}

func flagOf(t testing.TB, words []string, flag string) string {
	t.Helper()
	for n, word := range words {
		if word == flag {
			return words[n+1]
		}
	}
	t.Fatalf("no %s in %q", flag, words)
	return ""
}

// The binary in the database's container: no password, the socket where that
// image has it.
func TestBinaryInTheDatabasesContainer(t *testing.T) {
	server, _ := harborServer(t)
	const socket = ".s.PGSQL."
	if err := os.Symlink(socket+portOf(server), filepath.Join(server.Dir(), socket+"5432")); err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(lineOf(t, "compose/README.md", "docker exec harbor-db "), "/tmp/harbordb ")
	c := theImage(t).container(strings.Fields(strings.ReplaceAll(line, "'", ""))...)
	c.env = map[string]string{"PATH": "/usr/bin", "POSTGRES_PASSWORD": password}
	c.mounts = []mount{{source: openFolder(t), target: "/tmp"}, {source: server.Dir(), target: "/run/postgresql"}}
	if r := c.run(t); r.code != 0 || !snapshotID.MatchString(r.stdout) {
		t.Fatalf("%+v", r)
	}
}

// shell runs a line in a folder.
func shell(t testing.TB, folder, line string) string {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-ec", line)
	cmd.Dir = folder
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", line, err, out)
	}
	return string(out)
}
