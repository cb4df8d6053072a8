package harbor

import (
	"strings"
	"testing"

	"github.com/harbordb/harbordb/internal/fault"
)

func TestParseDSN(t *testing.T) {
	for _, c := range []struct{ name, dsn, want string }{
		{"all of it", "postgres://harbor:pw@db.example.com:5433/reg?sslmode=disable", "postgresql db.example.com:5433 harbor/pw reg disable"},
		{"the other scheme", "postgresql://u@h/d", "postgresql h:5432 u/ d prefer"},
		{"the least", "postgres://h", "postgresql h:5432 postgres/ registry prefer"},
		{"MySQL, the least", "mysql://h", "mysql h:3306 root/ registry prefer"},
		{"an encoded password", "postgres://u:p%40s%3As%2Fw%3F%23%25+@h/d", "postgresql h:5432 u/p@s:s/w?#%+ d prefer"},
		{"an @ in the password", "postgres://u:p@ss@h/d", "postgresql h:5432 u/p@ss d prefer"},
		{"a colon in the password", "postgres://u:a:b@h/d", "postgresql h:5432 u/a:b d prefer"},
		{"IPv6", "postgres://u@[2001:db8::1]:5433/d", "postgresql 2001:db8::1:5433 u/ d prefer"},
		{"IPv6 without a port", "mysql://u@[::1]/d", "mysql ::1:3306 u/ d prefer"},
		{"a socket as a parameter", "postgres://u@/d?host=/run/postgresql", "postgresql /run/postgresql:5432 u/ d prefer"},
		{"a socket with a port", "postgres:///d?host=/run/postgresql&port=5433", "postgresql /run/postgresql:5433 postgres/ d prefer"},
		{"a socket in place of the host", "postgres://u@%2Frun%2Fpostgresql/d", "postgresql /run/postgresql:5432 u/ d prefer"},
		{"MySQL's socket as a parameter", "mysql://root:x@/registry?host=/run/mysqld/mysqld.sock", "mysql /run/mysqld/mysqld.sock:3306 root/x registry prefer"},
		{"MySQL's socket by its other name", "mysql://root@localhost/registry?socket=/run/my.sock", "mysql /run/my.sock:3306 root/ registry prefer"},
		{"MySQL's socket in place of the host", "mysql://root@%2Frun%2Fmy.sock/registry", "mysql /run/my.sock:3306 root/ registry prefer"},
		{"as Go's driver has it", "mysql://u:p@tcp(h:3307)/registry?tls=true&parseTime=true", "mysql h:3307 u/p registry verify-full"},
		{"a socket as Go's driver has it", "mysql://u:p@unix(/run/my.sock)/registry", "mysql /run/my.sock:3306 u/p registry prefer"},
		{"everything as parameters", "postgres://?host=h&port=1&user=u&password=p%26q&dbname=d", "postgresql h:1 u/p&q d prefer"},
		{"a slash at the end", "postgres://u@h/d/", "postgresql h:5432 u/ d prefer"},
		{"what another program needs", "postgres://u@h/d?application_name=x&connect_timeout=3", "postgresql h:5432 u/ d prefer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseDSN(c.dsn, "--dsn")
			if err != nil {
				t.Fatal(err)
			}
			if summary(got) != c.want {
				t.Errorf("got  %s\nwant %s", summary(got), c.want)
			}
		})
	}
}

// Each of these holds the password "hunter2", which no error may show.
func TestAURLThatCannotBeReadIsRefusedWithoutItsPassword(t *testing.T) {
	for _, c := range []struct{ name, dsn, word string }{
		{"no URL", "host=db password=hunter2", "no connection URL"},
		{"another scheme", "oracle://u:hunter2@h/d", "no connection URL"},
		{"no host", "postgres://u:hunter2@/d", "names no host"},
		{"several hosts", "postgres://u:hunter2@a,b/d", "several hosts"},
		{"a slash in the password", "postgres://u:x/hunter2@h/d", "@ stands behind the host"},
		{"a slash in the password and no @ behind", "postgres://u:hunter2/x", "port is not a number"},
		{"a # in the password", "postgres://u:#hunter2@h/d", "# stands in the URL"},
		{"a ? in the password", "postgres://u:?hunter2@h/d", "@ stands behind the host"},
		{"a % in the password", "postgres://u:hunter2%zz@h/d", "% in the password"},
		{"a port that is none", "postgres://u:hunter2@h:x/d", "port is not a number"},
		{"a port out of range", "postgres://u:hunter2@h:99999/d", "port is not a number"},
		{"an unknown parameter", "postgres://u:hunter2@h/d?nope=hunter2", `"nope"`},
		{"an unknown TLS mode", "postgres://u:hunter2@h/d?sslmode=strict", `"strict"`},
		{"half a client certificate", "postgres://u:hunter2@h/d?sslcert=/c", "sslkey"},
		{"parameters that are none", "postgres://u:hunter2@h/d?sslmode=%zz", "behind the ?"},
		{"half an IPv6 address", "postgres://u:hunter2@[::1/d", "host and port"},
		{"nothing", "", "empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseDSN(c.dsn, "HARBORDB_DSN")
			if fault.KindOf(err) != fault.Usage || err == nil || !strings.Contains(err.Error(), c.word) {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(err.Error(), "HARBORDB_DSN") {
				t.Errorf("the error does not say where the URL came from: %v", err)
			}
			if strings.Contains(err.Error()+fault.HintOf(err), "hunter2") {
				t.Errorf("the password is in the error: %v", err)
			}
		})
	}
}

func FuzzParseDSN(f *testing.F) {
	for _, seed := range []string{
		"postgres://u:p@h:5432/d?sslmode=require", "mysql://u:p@tcp(h:1)/d", "mysql://u@unix(/s)/", "postgres://%2Frun/d", "postgres://[::1]:5/d?host=x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, dsn string) {
		s, err := ParseDSN(dsn, "--dsn")
		if err == nil && (s.Host == "" || s.Port < 1 || s.Port > 65535 || s.User == "" || s.Database == "") {
			t.Fatalf("%q gave %s", dsn, summary(s))
		}
	})
}
