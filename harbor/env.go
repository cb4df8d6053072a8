package harbor

import (
	"github.com/harbordb/harbordb/database"
)

// coreVariables are the names by which Harbor's core knows its database
// (≤ 1.5: MySQL, later PostgreSQL).
var coreVariables = map[database.Engine]map[string]string{
	database.PostgreSQL: {
		"host": "POSTGRESQL_HOST", "port": "POSTGRESQL_PORT", "user": "POSTGRESQL_USERNAME",
		"password": "POSTGRESQL_PASSWORD", "database": "POSTGRESQL_DATABASE", "sslmode": "POSTGRESQL_SSLMODE",
	},
	database.MySQL: {
		"host": "MYSQL_HOST", "port": "MYSQL_PORT", "user": "MYSQL_USR",
		"password": "MYSQL_PWD", "database": "MYSQL_DATABASE",
	},
}

var coreDefaults = map[database.Engine]map[string]string{
	database.PostgreSQL: corePostgreSQL,
	database.MySQL:      coreMySQL,
}

// fromCore reads the environment of Harbor's core, as a Kubernetes Job has it
// with envFrom of core's ConfigMap and Secret.
func (s Sources) fromCore() (found, bool, error) {
	f, ok := readCore(s.Getenv, "environment ")
	return f, ok, nil
}

// readCore reads core's variables. Where both engines are named, DATABASE_TYPE
// decides, which is in the files of the installer from 1.1 on.
func readCore(get func(string) string, originPrefix string) (found, bool) {
	engine := database.PostgreSQL
	if get("MYSQL_HOST") != "" && (get("POSTGRESQL_HOST") == "" || get("DATABASE_TYPE") == "mysql") {
		engine = database.MySQL
	}
	variables := coreVariables[engine]
	if get(variables["host"]) == "" {
		return found{}, false
	}
	f := newFound(engine, coreDefaults[engine])
	for setting, name := range variables {
		f.setIfAny(setting, get(name), originPrefix+name)
	}
	return f, true
}
