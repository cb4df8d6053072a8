package harbor

import (
	"slices"
	"strings"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
)

// ymlFile is harbor.yml, which Harbor has from 1.8 on.
type ymlFile struct {
	path string
	root node
}

// ymlKeys are the keys below external_database.harbor.
var ymlKeys = map[string]string{
	"host": "host", "port": "port", "user": "username", "password": "password", "database": "db_name", "sslmode": "ssl_mode",
}

// database: external_database, where it is there, covers database completely;
// otherwise the server is the one that the installer runs, of which only the
// password can be chosen.
func (y ymlFile) database() (found, error) {
	f := newFound(database.PostgreSQL, corePostgreSQL)
	if external, ok := y.root.child("external_database"); ok && !external.isEmpty() {
		harbor, ok := external.child("harbor")
		if !ok {
			return found{}, fault.Failedf("%s: external_database has no harbor", y.path)
		}
		for setting, key := range ymlKeys {
			f.setIfAny(setting, harbor.text(key), y.path+", external_database.harbor."+key)
		}
		if f.text("host") == "" {
			return found{}, fault.Failedf("%s: external_database.harbor has no host", y.path)
		}
		return f, nil
	}
	internal, ok := y.root.child("database")
	if !ok {
		return found{}, fault.Failedf("%s has neither database nor external_database: it is no harbor.yml", y.path)
	}
	f.set("host", "postgresql", y.path+", the installer's own database")
	f.setIfAny("password", internal.text("password"), y.path+", database.password")
	return f, nil
}

// storageDrivers are the ones that Harbor knows, in the order in which the
// installer looks for them.
var storageDrivers = []string{"filesystem", "azure", "gcs", "s3", "swift", "oss"}

func (y ymlFile) storage() (Storage, error) {
	volume := y.root.text("data_volume")
	if volume == "" {
		volume = "/data"
	}
	service, ok := y.root.child("storage_service")
	if !ok {
		return newStorage("filesystem", nil, volume, y.path+", data_volume"), nil
	}
	i := slices.IndexFunc(storageDrivers, func(name string) bool {
		_, ok := service.child(name)
		return ok
	})
	driver := "filesystem"
	parameters := map[string]string{}
	if i >= 0 {
		driver = storageDrivers[i]
		options, _ := service.child(driver)
		for _, key := range options.keys() {
			parameters[key] = strings.TrimSpace(storageText(options.text(key)))
		}
	}
	s := newStorage(driver, parameters, volume, y.path+", storage_service")
	s.CABundle = service.text("ca_bundle")
	return s, nil
}

// storageText writes the truth values as the registry understands them.
func storageText(text string) string {
	switch text {
	case "True":
		return "true"
	case "False":
		return "false"
	}
	return text
}
