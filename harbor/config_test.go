package harbor

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/internal/fault"
)

func TestHarborsOwnFiles(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"harbor.yml 1.8, the installer's own database", `# Configuration file of Harbor
hostname: reg.mydomain.com
database:
  # The password for the root user of Harbor DB.
  password: root123
data_volume: /data
_version: 1.8.0
`, "postgresql postgresql:5432 postgres/root123 registry disable"},
		{"harbor.yml 2.15, an external database", `
hostname: reg.mydomain.com
database:
  password: root123
  max_idle_conns: 100
  conn_max_lifetime: 5m
_version: 2.15.0
external_database:
  harbor:
    host: pg.example.com
    port: 5433
    db_name: harbor_core
    username: harbor
    password: "p#a'ss: word"
    ssl_mode: verify-ca
    max_idle_conns: 2
  notary_signer:
    host: other
`, "postgresql pg.example.com:5433 harbor/p#a'ss: word harbor_core verify-ca"},
		{"external_database without values is not there", "database:\n  password: pw\nexternal_database:\n", "postgresql postgresql:5432 postgres/pw registry disable"},
		{"external_database without details", "external_database:\n  harbor:\n    host: h\n", "postgresql h:5432 postgres/ registry disable"},
		{"an anchor, an alias and a merge", "x: &db {host: h, password: p}\nexternal_database:\n  harbor:\n    <<: *db\n    password: own\n", "postgresql h:5432 postgres/own registry disable"},
		{"a merge of itself", "external_database: &x\n  harbor: {host: h}\n  <<: *x\ny: &y\n  <<: *y\n", "postgresql h:5432 postgres/ registry disable"},
		{"flow style and JSON", `{"external_database": {"harbor": {"host": "h", "port": "5439", "password": "x"}}}`, "postgresql h:5439 postgres/x registry disable"},
		{"a byte order mark and Windows' line ends", "\xef\xbb\xbfdatabase:\r\n  password: pw\r\n", "postgresql postgresql:5432 postgres/pw registry disable"},

		{"harbor.cfg 1.1, of the time before db_host", "## Configuration file of Harbor\nhostname = reg\n#db_password = no\ndb_password = root123\nmax_job_workers = 3\n", "mysql mysql:3306 root/root123 registry disable"},
		{"harbor.cfg 1.5", "_version = 1.5.0\ndb_host = mysql\ndb_password = root123\ndb_port = 3306\ndb_user = root\nredis_url =\n", "mysql mysql:3306 root/root123 registry disable"},
		{"harbor.cfg 1.5 with an external MySQL", "_version = 1.5.0\ndb_host = my.example.com\ndb_password = x=y:z ; a comment\ndb_port = 3307\ndb_user = harbor\n", "mysql my.example.com:3307 harbor/x=y:z registry disable"},
		{"harbor.cfg 1.7", "_version = 1.7.0\ndb_host = postgresql\ndb_password = root123\ndb_port = 5432\ndb_user = postgres\nredis_host = redis\n", "postgresql postgresql:5432 postgres/root123 registry disable"},
		{"harbor.cfg 1.6 with an external PostgreSQL, without a version", "db_host = pg\ndb_password = root123\ndb_port = 6000\ndb_user = harbor\nredis_host = redis\n", "postgresql pg:6000 harbor/root123 registry disable"},
		{"harbor.cfg with a colon", "hostname = h\ndb_password: a;b\n", "mysql mysql:3306 root/a;b registry disable"},
		{"harbor.cfg with an empty password", "hostname = h\ndb_password = \"\"\n", "mysql mysql:3306 root/ registry disable"},

		{"core/env", "CONFIG_PATH=/etc/core/app.conf\nDATABASE_TYPE=postgresql\nPOSTGRESQL_HOST=postgresql\nPOSTGRESQL_PORT=5432\nPOSTGRESQL_USERNAME=postgres\nPOSTGRESQL_PASSWORD=a #b='c' $d \nPOSTGRESQL_DATABASE=registry\nPOSTGRESQL_SSLMODE=disable\nPOSTGRESQL_MAX_IDLE_CONNS=100\n_REDIS_URL_CORE=redis://redis:6379\n", "postgresql postgresql:5432 postgres/a #b='c' $d  registry disable"},
		{"core/env that begins with Redis", "_REDIS_URL_CORE=redis://redis:6379\nPOSTGRESQL_HOST=h\n", "postgresql h:5432 postgres/ registry disable"},
		{"adminserver/env 1.7", "PORT=8080\nDATABASE_TYPE=postgresql\nPOSTGRESQL_HOST=pg\nPOSTGRESQL_SSLMODE=enable\n", "postgresql pg:5432 postgres/ registry require"},
		{"adminserver/env 1.5", "PORT=8080\nLOG_LEVEL=info\nDATABASE_TYPE=mysql\nMYSQL_HOST=mysql\nMYSQL_PORT=3306\nMYSQL_USR=root\nMYSQL_PWD=root123\nMYSQL_DATABASE=registry\n", "mysql mysql:3306 root/root123 registry disable"},
		{"ui/env 0.5", "MYSQL_HOST=mysql\nMYSQL_PORT=3306\nMYSQL_USR=root\nMYSQL_PWD=root123\n", "mysql mysql:3306 root/root123 registry disable"},
		{"db/env", "POSTGRES_PASSWORD=root123\n", "postgresql postgresql:5432 postgres/root123 registry disable"},
		{"db/env of the MySQL era", "MYSQL_ROOT_PASSWORD=root123\n", "mysql mysql:3306 root/root123 registry disable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := place{config: c.content}.sources(t)
			got, err := s.Resolve()
			if err != nil {
				t.Fatal(err)
			}
			if summary(got) != c.want {
				t.Errorf("got  %s\nwant %s", summary(got), c.want)
			}
			if !strings.Contains(got.Origin["host"], s.ConfigFile) {
				t.Errorf("the host came from %q", got.Origin["host"])
			}
		})
	}
}

// What Python's YAML reader makes of a password is what arrives in core.
func TestAValueIsReadAsHarborReadsIt(t *testing.T) {
	for written, read := range map[string]string{
		"secret": "secret", "123456": "123456", "'0123'": "0123", `"yes"`: "yes", "!!str 0123": "0123",
		"0123": "83", "089": "089", "0x1F": "31", "0b101": "5", "1_000": "1000", "yes": "True", "off": "False", "On": "True",
		"1.50": "1.5", "123.": "123.0", "1e5": "1e5", "1.0e+20": "1e+20", "0.00001": "1e-05", "1:30": "90", "-1:30": "-90", ".5": "0.5",
		"2020-01-01": "2020-01-01", "a:b": "a:b", "a#b": "a#b", "a b # c": "a b", "~": "", "null": "", `"a\tb\u00e9"`: "a\tbé", "'it''s'": "it's",
		"|\n      two\n      lines": "two\nlines\n", ">-\n      folded\n      text": "folded text", "+15": "15", "y": "y", "99999999999999999999": "99999999999999999999",
	} {
		s := place{config: "external_database:\n  harbor:\n    host: h\n    password: " + written + "\n"}.sources(t)
		got, err := s.Resolve()
		if err != nil {
			t.Errorf("%s: %v", written, err)
		} else if string(got.Password) != read {
			t.Errorf("%s is read as %q, not %q", written, string(got.Password), read)
		}
	}
}

func TestAFileThatSaysNothingOfADatabaseIsAnError(t *testing.T) {
	for _, c := range []struct{ name, content, word string }{
		{"no settings", "# nothing\n", "no harbor.yml"},
		{"text", "just some words\n", "no harbor.yml"},
		{"YAML of something else", "version: '3'\nservices: {}\n", "neither database nor external_database"},
		{"broken YAML", "database:\n  password: [hunter2\n", "not valid YAML"},
		{"external_database without harbor", "external_database: {clair: {host: x}}\n", "no harbor"},
		{"external_database without a host", "external_database: {harbor: {password: hunter2}}\n", "no host"},
		{"jobservice/env", "CORE_SECRET=hunter2\nJOBSERVICE_SECRET=x\n", "nothing of a database"},
		{"another .cfg", "hostname = x\nui_url_protocol = http\n", "no db_password"},
		{"a port that is none", "external_database: {harbor: {host: h, port: some}}\n", "port is not a number"},
		{"an unknown TLS mode", "external_database: {harbor: {host: h, ssl_mode: loose}}\n", `"loose"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := place{config: c.content}.sources(t).Resolve()
			if err == nil || !strings.Contains(err.Error(), c.word) || !strings.Contains(err.Error(), "harbor-settings") {
				t.Errorf("got %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the password is in the error: %v", err)
			}
		})
	}
	_, err := Sources{ConfigFile: "/nonexistent/harbor.yml", Getenv: os.Getenv}.Resolve()
	if fault.KindOf(err) != fault.Failed || !strings.Contains(err.Error(), "/nonexistent/harbor.yml") {
		t.Errorf("a missing file: %v", err)
	}
}

func TestReadStorage(t *testing.T) {
	for _, c := range []struct {
		name, content string
		driver        string
		parameters    map[string]string
	}{
		{"harbor.yml without storage_service", "database: {password: x}\ndata_volume: /srv/harbor\n", "filesystem", map[string]string{"rootdirectory": "/srv/harbor/registry"}},
		{"harbor.yml without data_volume", "database: {password: x}\n", "filesystem", map[string]string{"rootdirectory": "/data/registry"}},
		{"a folder inside the container", "data_volume: /d\nstorage_service:\n  filesystem:\n    rootdirectory: /storage/deep\n    maxthreads: 100\n", "filesystem", map[string]string{"rootdirectory": "/d/registry/deep", "maxthreads": "100"}},
		{"a folder elsewhere", "storage_service:\n  filesystem:\n    rootdirectory: /storages\n", "filesystem", map[string]string{"rootdirectory": "/storages"}},
		{"only a certificate", "data_volume: /d\nstorage_service:\n  ca_bundle: /ca.pem\n", "filesystem", map[string]string{"rootdirectory": "/d/registry"}},
		{"S3 with keys of its own", `storage_service:
  s3:
    accesskey: AK
    secretkey: SK
    region: default
    regionendpoint: http://rgw:8080
    bucket: harbor
    rootdirectory: /s3/object/name/prefix
    secure: false
    v4auth: yes
    chunksize: "5242880"
    cephcompatible: true
    encrypt:
  redirect:
    disable: true
`, "s3", map[string]string{
			"accesskey": "AK", "secretkey": "SK", "region": "default", "regionendpoint": "http://rgw:8080", "bucket": "harbor",
			"rootdirectory": "/s3/object/name/prefix", "secure": "false", "v4auth": "true", "chunksize": "5242880", "cephcompatible": "true", "encrypt": "",
		}},
		{"the first of two, in Harbor's order", "storage_service:\n  s3: {bucket: b}\n  azure: {container: c}\n", "azure", map[string]string{"container": "c"}},
		{"harbor.cfg", "db_password = x\nregistry_storage_provider_name = filesystem\nregistry_storage_provider_config =\n", "filesystem", map[string]string{"rootdirectory": "/data/registry"}},
		{"harbor.cfg with Swift", "db_password = x\nregistry_storage_provider_name = swift\nregistry_storage_provider_config = \"username: admin, password: pw, authurl: http://keystone:5000/v3, container: c\"\n", "swift", map[string]string{
			"username": "admin", "password": "pw", "authurl": "http://keystone:5000/v3", "container": "c",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "settings")
			write(t, file, c.content)
			got, err := ReadStorage(file, "--harbor-config")
			if err != nil {
				t.Fatal(err)
			}
			if got.Driver != c.driver || !maps.Equal(got.Parameters, c.parameters) {
				t.Errorf("got %s %v", got.Driver, got.Parameters)
			}
			if !strings.Contains(got.Origin, file) {
				t.Errorf("it came from %q", got.Origin)
			}
		})
	}
}

func TestTheCertificateOfTheStorage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "harbor.yml")
	write(t, file, "storage_service:\n  ca_bundle: /ca.pem\n  s3: {bucket: b}\n")
	got, err := ReadStorage(file, "--harbor-config")
	if err != nil || got.CABundle != "/ca.pem" {
		t.Errorf("got %q, %v", got.CABundle, err)
	}
}

func TestAnEnvFilePointsToTheRegistrysConfiguration(t *testing.T) {
	common := filepath.Join(t.TempDir(), "common", "config")
	env := filepath.Join(common, "core", "env")
	write(t, env, "POSTGRESQL_HOST=h\n")
	if _, err := ReadStorage(env, "--harbor-config"); err == nil || !strings.Contains(fault.HintOf(err), "--registry-config") {
		t.Errorf("without the registry's folder: %v", err)
	}
	config := filepath.Join(common, "registry", "config.yml")
	write(t, config, "version: 0.1\n")
	got, err := ReadStorage(env, "--harbor-config")
	if err != nil || got.ConfigFile != config {
		t.Errorf("got %q, %v", got.ConfigFile, err)
	}
}

func TestAnUnknownStorageDriverIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "harbor.cfg")
	write(t, file, "db_password = x\nregistry_storage_provider_name = rados\n")
	if _, err := ReadStorage(file, "--harbor-config"); err == nil || !strings.Contains(err.Error(), `"rados"`) {
		t.Errorf("got %v", err)
	}
}

func FuzzReadConfig(f *testing.F) {
	for _, seed := range []string{ymlExternal, "A=b\n", "db_password = x\n y\n", "a: &a [*a]\n", "<<: {a: b}\n", "x: !!int |\n  5\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file := filepath.Join(t.TempDir(), "settings")
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		config, err := readConfig(file, "--harbor-config")
		if err != nil {
			return
		}
		if found, err := config.database(); err == nil {
			_, _ = found.settings()
		}
		_, _ = config.storage()
	})
}
