package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/harbordb/harbordb/internal/fault"
)

var mysqlDialect = dialect{
	oldest: Server{Product: "MySQL", Version: "5.6", Number: 50600},
	server: mysqlServer,
	clock:  `select date_format(utc_timestamp(6), '%Y-%m-%d %H:%i:%s.%f')`,
	// MySQL has it from 5.6 on. MariaDB has none: its server_uid is made of
	// the machine's network address and port, and a container gets another
	// one with each start.
	identity: []string{`select @@server_uuid`},
	databaseSize: `select cast(coalesce(sum(data_length + index_length), 0) as signed)
		from information_schema.tables where table_schema = database()`,
	tableSizes: `select '', table_name, cast(coalesce(data_length + index_length, 0) as signed)
		from information_schema.tables where table_schema = database() and table_type = 'BASE TABLE'
		order by 3 desc, 2 limit ?`,
	// No proxy for MySQL is known to stand before a Harbor, and none can
	// be told from a server.
	pooled:     func(context.Context, *sql.Conn) (bool, error) { return false, nil },
	unknowable: mysqlUnknowable,
}

func mysqlServer(ctx context.Context, q Querier) (Server, error) {
	s := Server{Product: "MySQL"}
	if err := q.QueryRowContext(ctx, `select version()`).Scan(&s.Version); err != nil {
		return Server{}, err
	}
	if strings.Contains(s.Version, "MariaDB") {
		s.Product = "MariaDB"
		// Some proxies pass on the prefix by which MariaDB 10 greeted old
		// clients: "5.5.5-10.2.10-MariaDB".
		s.Version = strings.TrimPrefix(s.Version, "5.5.5-")
	}
	var err error
	s.Number, err = parseVersion(s.Version)
	return s, err
}

// mysqlUnknowable: 1193 is an unknown system variable.
func mysqlUnknowable(err error) bool {
	var my *mysql.MySQLError
	return errors.As(err, &my) && my.Number == 1193
}

func mysqlConnector(s Settings) (driver.Connector, error) {
	config, err := mysqlConfig(s)
	if err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("prepare a connection to %s: %w", s, err)
	}
	return connector, nil
}

// mysqlConfig describes a connection by the settings alone. Times are never
// parsed: a DATETIME is text, and 0000-00-00 is one of its values.
func mysqlConfig(s Settings) (*mysql.Config, error) {
	config := mysql.NewConfig()
	config.Logger = &mysql.NopLogger{}
	config.User, config.Passwd = s.User, string(s.Password)
	config.DBName = s.Database
	config.Timeout = connectTimeout
	config.DialFunc = dialer().DialContext
	config.MaxAllowedPacket = 0 // ask the server
	config.Net, config.Addr = "tcp", net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
	if err := config.Apply(mysql.Charset("utf8mb4", "")); err != nil {
		return nil, fmt.Errorf("prepare a connection to %s: %w", s, err)
	}
	timeout := s.LockTimeout
	if timeout <= 0 {
		timeout = defaultLockTimeout
	}
	seconds := strconv.Itoa(int(math.Ceil(timeout.Seconds())))
	config.Params = map[string]string{
		"lock_wait_timeout":        seconds,
		"innodb_lock_wait_timeout": seconds,
		"time_zone":                "'+00:00'",
	}
	config.ConnectionAttributes = "program_name:" + applicationName
	if isSocket(s.Host) {
		config.Net, config.Addr = "unix", s.Host
		return config, nil
	}
	if s.Port < 1 || s.Port > math.MaxUint16 {
		return nil, fault.Usagef("port %d of %s: it is 1 to %d", s.Port, s.Host, math.MaxUint16)
	}
	return config, mysqlTLS(config, s)
}

// mysqlTLS sets the mode. MySQL's protocol has no way to begin in clear and
// then try again with TLS: allow is prefer.
func mysqlTLS(config *mysql.Config, s Settings) error {
	if s.TLS.Mode == TLSDisable {
		return nil
	}
	var err error
	config.TLS, err = s.TLS.config(s.Host)
	switch s.TLS.Mode {
	case TLSAllow, TLSPrefer, "":
		config.AllowFallbackToPlaintext = true
	}
	return err
}
