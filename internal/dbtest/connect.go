package dbtest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"fmt"
	"os"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/harbordb/harbordb/database"
)

// open opens a database with its plain driver; nothing but settings decides
// how. Several statements in one text are allowed where there are no
// parameters.
func open(settings database.Settings) (*sql.DB, error) {
	if settings.Engine == database.MySQL {
		return openMySQL(settings)
	}
	config, err := pgxConfig(settings)
	if err != nil {
		return nil, err
	}
	return stdlib.OpenDB(*config), nil
}

func pgxConfig(settings database.Settings) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig("sslmode=disable")
	if err != nil {
		return nil, err
	}
	config.Host, config.Port = settings.Host, uint16(settings.Port)
	config.User, config.Password = settings.User, string(settings.Password)
	config.Database = settings.Database
	config.Fallbacks, config.ValidateConnect = nil, nil
	config.RuntimeParams = map[string]string{"application_name": "dbtest"}
	config.TLSConfig, err = tlsConfig(settings)
	return config, err
}

func openMySQL(settings database.Settings) (*sql.DB, error) {
	config := mysql.NewConfig()
	config.User, config.Passwd = settings.User, string(settings.Password)
	config.DBName = settings.Database
	config.MultiStatements = true
	config.Logger = &mysql.NopLogger{} // a cut connection is an error, not a line on stderr
	config.Net, config.Addr = "tcp", fmt.Sprintf("%s:%d", settings.Host, settings.Port)
	if settings.Host[0] == '/' {
		config.Net, config.Addr = "unix", settings.Host
	}
	var err error
	if config.TLS, err = tlsConfig(settings); err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// tlsConfig is nil where settings ask for none. The modes between disable and
// verify-full are for the code under test.
func tlsConfig(settings database.Settings) (*tls.Config, error) {
	if settings.TLS.Mode == "" || settings.TLS.Mode == database.TLSDisable {
		return nil, nil
	}
	pem, err := os.ReadFile(settings.TLS.CAFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate in %s", settings.TLS.CAFile)
	}
	return &tls.Config{RootCAs: roots, ServerName: settings.Host}, nil
}

// Exec runs a script of statements. It may be called in a cleanup, too.
func Exec(t testing.TB, settings database.Settings, script string) {
	t.Helper()
	if err := runScript(context.Background(), settings, script); err != nil {
		t.Fatalf("run SQL in %s: %v", settings.Database, err)
	}
}

func runScript(ctx context.Context, settings database.Settings, script string) error {
	if settings.Engine == database.MySQL {
		return runMySQL(ctx, settings, script)
	}
	config, err := pgxConfig(settings)
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	// The simple protocol runs each statement of a script by itself, unless
	// the script has transactions of its own.
	return conn.PgConn().Exec(ctx, script).Close()
}

func runMySQL(ctx context.Context, settings database.Settings, script string) error {
	db, err := openMySQL(settings)
	if err != nil {
		return err
	}
	defer db.Close()
	// Exec of the driver stops at the first failing statement, and reports it.
	_, err = db.ExecContext(ctx, script)
	return err
}
