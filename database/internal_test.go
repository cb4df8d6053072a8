package database

import (
	"context"
	"strings"
	"testing"
)

func TestParseVersion(t *testing.T) {
	for version, want := range map[string]int{
		"10.11.19-MariaDB-0+deb12u1": 101119, "5.6.24": 50624, "8.0.mysql_aurora.3.02": 80000, "8.4": 80400, "10.2.100-MariaDB": 100299,
	} {
		if got, err := parseVersion(version); err != nil || got != want {
			t.Errorf("%s is %d, %v, not %d", version, got, err, want)
		}
	}
	for _, version := range []string{"", "MariaDB", "10", "99999999999999999999.1"} {
		if got, err := parseVersion(version); err == nil {
			t.Errorf("%q is %d", version, got)
		}
	}
}

func TestAServerThatSaysNothingIsATimeout(t *testing.T) {
	for _, engine := range []Engine{PostgreSQL, MySQL} {
		err := connectError(t.Context(), Settings{Engine: engine, Host: "db", Port: 1}, context.DeadlineExceeded)
		if !strings.Contains(err.Error(), "no answer within") {
			t.Errorf("%s: %v", engine, err)
		}
	}
}
