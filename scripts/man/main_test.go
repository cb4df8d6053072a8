package main

import (
	"strings"
	"testing"

	"github.com/cpuguy83/go-md2man/v2/md2man"
)

func TestManual(t *testing.T) {
	page := "# harbordb snapshots ls\n\n## Name\n\nharbordb-snapshots-ls - list the snapshots\n\n" +
		"## Examples\n\n```sh\nharbordb snapshots ls\n```\n\n## See also\n\n[harbordb](harbordb.md), and more\n"
	got := string(md2man.Render([]byte(manual("harbordb-snapshots-ls", page, "2026-01-31", "v1.2.3"))))
	for _, want := range []string{
		`.TH "HARBORDB-SNAPSHOTS-LS" "1" "2026-01-31" "harbordb v1.2.3" "harbordb"`,
		".SH NAME\nharbordb-snapshots-ls \\- list the snapshots",
		"harbordb snapshots ls\n.EE",
		`\fBharbordb\fP(1), and more`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
}
