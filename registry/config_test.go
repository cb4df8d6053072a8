package registry

import (
	"maps"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/internal/fault"
)

func TestParseConfig(t *testing.T) {
	tests := map[string]struct {
		file       string
		env        map[string]string
		driver     string
		parameters map[string]string
		noRedirect bool
	}{
		"filesystem of Harbor": {
			file: `
version: 0.1
log: {level: info}
storage:
  cache:
    layerinfo: redis
  filesystem:
    rootdirectory: /storage
  maintenance:
    uploadpurging: {enabled: true, age: 168h, interval: 24h, dryrun: false}
  delete:
    enabled: true
redis:
  addr: redis:6379
`,
			driver:     "filesystem",
			parameters: map[string]string{"rootdirectory": "/storage"},
		},
		"Ceph RGW with keys of its own and numbers as text": {
			file: `
storage:
  s3:
    accesskey: 0123456
    secretkey: 1e5
    region: default
    regionendpoint: http://rgw:7480
    bucket: harbor
    chunksize: "5242880"
    cephcompatible: true
    secure: False
    keyid:
    rootdirectory: /s3/object/name/prefix
  redirect:
    disable: true
`,
			driver: "s3",
			parameters: map[string]string{
				"accesskey": "0123456", "secretkey": "1e5", "region": "default",
				"regionendpoint": "http://rgw:7480", "bucket": "harbor", "chunksize": "5242880",
				"cephcompatible": "true", "secure": "False", "keyid": "",
				"rootdirectory": "/s3/object/name/prefix",
			},
			noRedirect: true,
		},
		"secrets from the environment": {
			file: `storage: {s3: {bucket: b, region: us-east-1, secretkey: old}}`,
			env: map[string]string{
				"REGISTRY_STORAGE_S3_ACCESSKEY": "AK",
				"REGISTRY_STORAGE_S3_SECRETKEY": "SK",
				"REGISTRY_HTTP_SECRET":          "not ours",
				"PATH":                          "/bin",
			},
			driver:     "s3",
			parameters: map[string]string{"bucket": "b", "region": "us-east-1", "accesskey": "AK", "secretkey": "SK"},
		},
		"environment alone": {
			env: map[string]string{
				"REGISTRY_STORAGE":                          "swift",
				"REGISTRY_STORAGE_SWIFT_AUTHURL":            "http://swift/auth/v1.0",
				"REGISTRY_STORAGE_SWIFT_CONTAINER":          "c",
				"REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR":     "inmemory",
				"REGISTRY_STORAGE_MAINTENANCE_READONLY":     "{enabled: true}",
				"REGISTRY_STORAGE_SWIFT_INSECURESKIPVERIFY": "true",
			},
			driver:     "swift",
			parameters: map[string]string{"authurl": "http://swift/auth/v1.0", "container": "c", "insecureskipverify": "true"},
		},
		"environment replaces the driver": {
			file: `storage: {filesystem: {rootdirectory: /storage}, delete: {enabled: true}}`,
			env: map[string]string{
				"REGISTRY_STORAGE":           "s3",
				"REGISTRY_STORAGE_S3_BUCKET": "b",
			},
			driver:     "s3",
			parameters: map[string]string{"bucket": "b"},
		},
		"nested credentials": {
			file:       `storage: {gcs: {bucket: b, credentials: {type: service_account, client_id: 007}}}`,
			driver:     "gcs",
			parameters: map[string]string{"bucket": "b", "credentials.type": "service_account", "credentials.client_id": "007"},
		},
		"driver without options": {
			file: "storage:\n  inmemory:\n", driver: "inmemory", parameters: map[string]string{},
		},
		"a variable of Harbor's core": {
			file:       "storage:\n  filesystem:\n    rootdirectory: /storage\n",
			env:        map[string]string{"REGISTRY_STORAGE_PROVIDER_NAME": "filesystem"},
			driver:     "filesystem",
			parameters: map[string]string{"rootdirectory": "/storage"},
		},
		"driver as a word": {
			file: "storage: inmemory\n", driver: "inmemory", parameters: map[string]string{},
		},
		"option twice": {
			file:       "storage:\n  s3:\n    bucket: a\n    bucket: b\n",
			driver:     "s3",
			parameters: map[string]string{"bucket": "b"},
		},
	}
	for behaviour, test := range tests {
		t.Run(behaviour, func(t *testing.T) {
			c, err := ParseConfig([]byte(test.file), test.env)
			if err != nil {
				t.Fatal(err)
			}
			if c.Driver != test.driver || !maps.Equal(c.Parameters, test.parameters) {
				t.Errorf("got %s %v\nwant %s %v", c.Driver, c.Parameters, test.driver, test.parameters)
			}
			if c.RedirectDisabled != test.noRedirect {
				t.Errorf("redirect disabled: %v", c.RedirectDisabled)
			}
		})
	}
}

func TestParseConfigRefusesWithoutShowingSecrets(t *testing.T) {
	for behaviour, test := range map[string]struct {
		file, says string
	}{
		"no storage":      {"version: 0.1\n", "no storage driver"},
		"only siblings":   {"storage: {cache: {layerinfo: redis}, delete: {enabled: true}}", "no storage driver"},
		"two drivers":     {"storage: {s3: {secretkey: geheim}, filesystem: {}}", "filesystem, s3"},
		"no YAML":         {"storage:\n  s3:\n    secretkey: geheim\n   bad: [\n", "parse"},
		"a list":          {"storage: [geheim]", "no storage driver"},
		"redirect unsure": {"storage: {filesystem: {rootdirectory: /geheim}, redirect: {disable: maybe}}", "redirect.disable"},
	} {
		t.Run(behaviour, func(t *testing.T) {
			_, err := ParseConfig([]byte(test.file), nil)
			if err == nil {
				t.Fatal("accepted")
			}
			text := err.Error() + fault.HintOf(err)
			if !strings.Contains(text, test.says) {
				t.Errorf("%q does not say %q", text, test.says)
			}
			if strings.Contains(text, "geheim") {
				t.Errorf("the error shows a value: %q", text)
			}
		})
	}
}

func TestInEnvironment(t *testing.T) {
	for name, want := range map[string]bool{
		"REGISTRY_STORAGE": true, "REGISTRY_STORAGE_S3_BUCKET": true,
		"REGISTRY_STORAGE_PROVIDER_NAME": false, "REGISTRY_URL": false,
	} {
		if got := InEnvironment(map[string]string{name: "filesystem"}); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestSwitch(t *testing.T) {
	c := StorageConfig{Driver: "s3", Parameters: map[string]string{
		"secure": "False", "v4auth": "true", "encrypt": "", "skipverify": "perhaps",
	}}
	for option, want := range map[string]bool{"secure": false, "v4auth": true, "encrypt": true, "absent": true} {
		if got, err := c.Switch(option, true); err != nil || got != want {
			t.Errorf("%s: %v, %v", option, got, err)
		}
	}
	if _, err := c.Switch("skipverify", true); fault.KindOf(err) != fault.Usage {
		t.Errorf("a switch that is neither on nor off: %v", err)
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte("storage: {s3: {bucket: b}}"))
	f.Add([]byte("storage:\n  filesystem:\n    rootdirectory: /storage\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		c, err := ParseConfig(file, nil)
		if err == nil && c.Driver == "" {
			t.Error("no error and no driver")
		}
	})
}
