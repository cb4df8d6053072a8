package dbtest

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/harbordb/harbordb/database"
)

// mySQL is what MariaDB and MySQL 5.6 have in common.
type mySQL struct{}

func (mySQL) engine() database.Engine { return database.MySQL }
func (mySQL) account() string         { return "mysql" }
func (mySQL) superuser() string       { return "root" }
func (mySQL) adminDatabase() string   { return "mysql" }

func (mySQL) socket(s *Server) (string, int) { return filepath.Join(s.dir, "s.sock"), 0 }

func (mySQL) dropDatabases(db *sql.DB, name string) error {
	rows, err := db.Query(`SELECT schema_name FROM information_schema.schemata
		WHERE schema_name = ? OR LEFT(schema_name, CHAR_LENGTH(?) + 1) = CONCAT(?, '_')`, name, name, name)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var found string
		if err := rows.Scan(&found); err != nil {
			return err
		}
		if _, err := db.Exec("DROP DATABASE IF EXISTS `" + strings.ReplaceAll(found, "`", "``") + "`"); err != nil {
			return err
		}
	}
	return rows.Err()
}

// arguments are the options that both servers know. --no-defaults has to be
// the first.
func (m mySQL) arguments(s *Server) []string {
	socket, _ := m.socket(s)
	args := []string{
		"--no-defaults",
		"--datadir=" + filepath.Join(s.dir, "data"),
		"--tmpdir=" + s.dir,
		"--socket=" + socket,
		"--pid-file=" + filepath.Join(s.dir, "pid"),
		fmt.Sprintf("--port=%d", s.port),
		"--bind-address=127.0.0.1",
		"--skip-name-resolve",
		"--skip-log-bin",
		"--performance-schema=off",
		"--character-set-server=utf8mb4",
		"--default-time-zone=" + timeZone(s.options, "+00:00"),
		"--innodb-buffer-pool-size=32M",
	}
	if !s.options.Durable {
		args = append(args, "--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0")
	}
	return args
}

// initialise writes what the server has to run before it lets anyone in, and
// returns the options that say so.
func (m mySQL) initialise(s *Server, o owner) ([]string, error) {
	var args []string
	if c := s.options.TLS; c != nil {
		cert, key, err := c.install(o, s.dir)
		if err != nil {
			return nil, err
		}
		args = append(args, "--ssl-cert="+cert, "--ssl-key="+key)
		if s.options.RequireTLS {
			args = append(args, "--require-secure-transport=on") // the socket counts as secure
		}
	}
	if s.options.Password == "" {
		return args, nil
	}
	if strings.ContainsAny(s.options.Password, "'\\\n\x00") {
		return nil, errors.New("a password of one line without quotes and backslashes is needed")
	}
	var script strings.Builder
	for _, host := range []string{"localhost", "127.0.0.1"} {
		fmt.Fprintf(&script, "SET PASSWORD FOR 'root'@'%s' = PASSWORD('%s');\n", host, s.options.Password)
	}
	file := filepath.Join(s.dir, "init.sql")
	if err := os.WriteFile(file, []byte(script.String()), 0o644); err != nil {
		return nil, err
	}
	return append(args, "--init-file="+file), nil
}

// mariaDB is the distribution's MariaDB.
type mariaDB struct {
	mySQL
	server, installer string
	version           string // what mariadbd --version prints
}

func launchMariaDB(o Options) (*Server, error) {
	server, err := program("mariadbd")
	if err != nil {
		return nil, err
	}
	installer, err := program("mariadb-install-db")
	if err != nil {
		return nil, err
	}
	version, err := exec.Command(server, "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("%s --version: %w", server, err)
	}
	return launch(mariaDB{server: server, installer: installer, version: string(version)}, o)
}

func (p mariaDB) major() int {
	var major int
	_, ver, _ := strings.Cut(p.version, "Ver ")
	fmt.Sscanf(ver, "%d.", &major)
	return major
}

func (p mariaDB) create(s *Server) error {
	o, err := s.owner()
	if err != nil {
		return err
	}
	return s.fromTemplate("mariadb-"+word(p.version), filepath.Join(s.dir, "data"), func(dir string) error {
		out, err := o.run(s.dir, p.installer, "--no-defaults", "--datadir="+dir,
			"--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-log-file-size=8M",
			"--innodb-flush-method=nosync", "--innodb-flush-log-at-trx-commit=0")
		if err != nil {
			return fmt.Errorf("mariadb-install-db: %w: %s", err, out)
		}
		return nil
	})
}

func (p mariaDB) command(s *Server) (command, error) {
	o, err := s.owner()
	if err != nil {
		return command{}, err
	}
	extra, err := p.initialise(s, o)
	if err != nil {
		return command{}, err
	}
	args := append(p.arguments(s), "--innodb-log-file-size=8M")
	if !s.options.Durable {
		args = append(args, "--innodb-flush-method=nosync")
	}
	args = append(append(args, extra...), s.options.Settings...)
	return command{path: p.server, args: args, quit: syscall.SIGTERM}, nil
}

// mySQL56 is the MySQL 5.6 of the npm package, with its ready data folder.
type mySQL56 struct {
	mySQL
	home string
}

func launchMySQL56(o Options) (*Server, error) {
	folder, err := npmFolder("mysql56")
	if err != nil {
		return nil, err
	}
	home := filepath.Join(folder, "server")
	if !executable(filepath.Join(home, "mysqld")) {
		return nil, missing("MySQL 5.6")
	}
	return launch(mySQL56{home: home}, o)
}

func (mySQL56) major() int { return 5 }

func (p mySQL56) create(s *Server) error {
	o, err := s.owner()
	if err != nil {
		return err
	}
	data := filepath.Join(s.dir, "data")
	if err := copyTree(filepath.Join(p.home, "data", "mysql"), data); err != nil {
		return err
	}
	return o.chownTree(data)
}

func (p mySQL56) command(s *Server) (command, error) {
	o, err := s.owner()
	if err != nil {
		return command{}, err
	}
	extra, err := p.initialise(s, o)
	if err != nil {
		return command{}, err
	}
	args := append(p.arguments(s), "--basedir="+p.home, "--lc-messages-dir="+filepath.Join(p.home, "share"),
		"--innodb-log-file-size=4M", "--innodb-use-native-aio=0")
	args = append(append(args, extra...), s.options.Settings...)
	return command{
		path: filepath.Join(p.home, "mysqld"),
		args: args,
		env:  []string{"LD_LIBRARY_PATH=" + p.home},
		quit: syscall.SIGTERM,
	}, nil
}
