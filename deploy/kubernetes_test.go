package deploy

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/harbordb/harbordb/internal/canary"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/registrytest"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

// password is the database's. It stands for the one in testdata: tests look for
// it in all that they print.
var password = canary.New()

// schemaVersion is that of Harbor 2.12.
const schemaVersion = 150

// harborServer is a PostgreSQL as Harbor's own: a superuser with a password
// over TCP and without one over the socket, a database registry.
func harborServer(t testing.TB) (*dbtest.Server, *sql.DB) {
	t.Helper()
	server := dbtest.StartPostgreSQL(t, dbtest.Options{
		Password: password,
		HBA:      []string{"local all all trust", "host all all 127.0.0.1/32 scram-sha-256"},
	})
	server.Exec(t, "", "CREATE DATABASE registry")
	db := server.Open(t, "registry")
	if err := harborsql.BuildPostgreSQL(t.Context(), db, schemaVersion); err != nil {
		t.Fatal(err)
	}
	return server, db
}

func portOf(server *dbtest.Server) string { return fmt.Sprint(server.TCP("registry").Port) }

// newCluster is a cluster in which the chart has been installed. Of the
// chart's settings the port and the password alone are others.
func newCluster(t testing.TB, server *dbtest.Server) *cluster {
	t.Helper()
	c := &cluster{manifests: shipped(t), names: []string{"harbor-database"}, volumes: map[string]string{}}
	c.read(t, "testdata/chart/core.yaml", "testdata/chart/registry.yaml")
	c.configMaps["harbor-core"].Data["POSTGRESQL_PORT"] = portOf(server)
	c.secrets["harbor-core"].StringData["POSTGRESQL_PASSWORD"] = password
	for claim := range c.claims {
		c.volumes[claim] = t.TempDir()
	}
	return c
}

// runJob runs the pod of a job and returns the result of its last container,
// which has to end with code.
func (c *cluster) runJob(t testing.TB, name string, code int) result {
	t.Helper()
	pod, ok := c.pods()[name]
	if !ok {
		t.Fatalf("no job %s", name)
	}
	all := c.run(t, pod.Spec)
	for _, r := range all {
		for _, secret := range c.secretTexts() {
			if strings.Contains(r.stdout+r.stderr, secret) {
				t.Errorf("%s shows %q", name, secret)
			}
		}
	}
	last := all[len(all)-1]
	if last.code != code || code == 0 && len(all) != len(containersOf(pod.Spec)) {
		t.Fatalf("%s ended with %d, not %d\nstdout: %s\nstderr: %s", name, last.code, code, last.stdout, last.stderr)
	}
	return last
}

// edit runs a sed expression over the arguments of a job, as a reader of the
// README does.
func (c *cluster) edit(t testing.TB, job, expression string) {
	t.Helper()
	args := c.jobs[job].Spec.Template.Spec.Containers[0].Args
	for n, arg := range args {
		cmd := exec.Command("sed", expression)
		cmd.Stdin = strings.NewReader(arg)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		args[n] = strings.TrimSpace(string(out))
	}
}

var snapshotID = regexp.MustCompile(`\b\d{8}T\d{6}Z-[0-9a-z]+\b`)

// An upgrade, a night, and the way back: each manifest with what the chart
// gives it and nothing else.
func TestJobsDoWhatTheySay(t *testing.T) {
	server, db := harborServer(t)
	if err := harborsql.Fill(t.Context(), db, schemaVersion); err != nil {
		t.Fatal(err)
	}
	before := dbtest.Dump(t, db)
	c := newCluster(t, server)

	id := snapshotID.FindString(c.runJob(t, "harbordb-pre-upgrade", 0).stdout)
	if id == "" {
		t.Fatal("the log of the backup names no snapshot")
	}
	server.Exec(t, "registry", "DELETE FROM audit_log; UPDATE schema_migrations SET version = 160")
	c.runJob(t, "harbordb-backup", 0)

	// Unedited it restores nothing.
	c.runJob(t, "harbordb-restore", 2)
	c.edit(t, "harbordb-restore", "s/SNAPSHOT/"+id+"/")
	db.Close() // it refuses while somebody is connected
	c.runJob(t, "harbordb-restore", 0)
	dbtest.RequireSame(t, before, dbtest.Dump(t, server.Open(t, "registry")))
}

func TestPreUpgradeFailsWithoutASnapshot(t *testing.T) {
	server, _ := harborServer(t)
	c := newCluster(t, server)
	c.secrets["harbor-core"].StringData["POSTGRESQL_PASSWORD"] = canary.New()
	r := c.runJob(t, "harbordb-pre-upgrade", 1)
	if !strings.Contains(r.stderr, "password") {
		t.Errorf("stderr: %s", r.stderr)
	}
	c.secrets["harbor-core"].StringData["POSTGRESQL_PASSWORD"] = password
	c.edit(t, "harbordb-restore", "s/SNAPSHOT/latest/")
	c.runJob(t, "harbordb-restore", 2)
}

// With a bucket a Secret is all there is to add.
func TestJobsWithABucket(t *testing.T) {
	server, db := harborServer(t)
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	bucket := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(bucket.Close)
	c := newCluster(t, server)
	c.secrets["harbordb"] = &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "harbordb"}, StringData: map[string]string{
		"HARBORDB_STORE":    "s3://bucket/harbor?region=us-east-1&endpoint=" + bucket.URL,
		"AWS_ACCESS_KEY_ID": "the-key-of-the-bucket", "AWS_SECRET_ACCESS_KEY": canary.New(),
	}}
	id := snapshotID.FindString(c.runJob(t, "harbordb-pre-upgrade", 0).stdout)
	c.runJob(t, "harbordb-backup", 0)
	c.edit(t, "harbordb-restore", "s/SNAPSHOT/"+id+"/")
	db.Close()
	c.runJob(t, "harbordb-restore", 0)
}

func TestOrphansReadsTheRegistrysConfigMap(t *testing.T) {
	server, _ := harborServer(t)
	c := newCluster(t, server)
	c.volumes["harbor-registry"] = brokenRegistry(t)
	r := c.runJob(t, "harbordb-orphans", 3)
	if !strings.Contains(r.stdout, "library/photon") {
		t.Errorf("stdout: %s\nstderr: %s", r.stdout, r.stderr)
	}
}

// brokenRegistry is the root of a registry in which an image lacks its layer,
// for so long that nobody can be pushing it any more.
func brokenRegistry(t testing.TB) string {
	t.Helper()
	registry := registrytest.Filesystem(t)
	p := registry.Push(t, "library/photon", registrytest.Image{Tags: []string{"v1"}, Layers: []string{"a layer"}})
	registry.Remove(t, registry.BlobKey(p.Layers[0].Digest))
	lastWeek := time.Now().AddDate(0, 0, -7)
	err := filepath.WalkDir(registry.Root, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(path, lastWeek, lastWeek))
	})
	if err != nil {
		t.Fatal(err)
	}
	return registry.Root
}
