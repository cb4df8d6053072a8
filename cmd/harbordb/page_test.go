package main

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestATableFitsTheTerminal(t *testing.T) {
	columns := []column{{title: "ID"}, {title: "LABEL", cut: true}, {title: "TAGS", cut: true}, {title: "ROWS", right: true}}
	rows := []cells{
		{"20261121T023000Z", "before the upgrade", strings.Repeat("v1,", 2000), "12"},
		{"20261122T023000Z", "", "latest", "1 234 567"},
	}
	for _, width := range []int{80, 60, 40} {
		text := render(width, func(p *page) { p.table(columns, rows) })
		for _, line := range strings.Split(text, "\n") {
			if n := utf8.RuneCountInString(line); n > max(width, 53) { // the uncut columns and the least of the others
				t.Errorf("at width %d a line has %d characters: %s", width, n, line)
			}
		}
		if !strings.Contains(text, "…") || !strings.Contains(text, "20261121T023000Z") || !strings.Contains(text, "1 234 567") {
			t.Errorf("at width %d:\n%s", width, text)
		}
	}
	whole := render(0, func(p *page) { p.table(columns, rows) })
	if !strings.Contains(whole, rows[0][2]) {
		t.Error("in a pipe a cell was cut")
	}
}

func TestATableIsAligned(t *testing.T) {
	got := render(0, func(p *page) {
		p.table([]column{{title: "NAME"}, {title: "N", right: true}, {title: "X"}}, []cells{{"ä", "1", "y"}, {"longer", "22", ""}})
	})
	want := "NAME     N  X\nä        1  y\nlonger  22\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestFieldsLeaveOutWhatIsEmpty(t *testing.T) {
	got := render(0, func(p *page) { p.fields([2]string{"a", "1"}, [2]string{"much longer", ""}, [2]string{"bc", "2"}) })
	if got != "a   1\nbc  2\n" {
		t.Errorf("got\n%s", got)
	}
}

func TestParagraphsAreBrokenIntoLines(t *testing.T) {
	got := render(0, func(p *page) { p.paragraphs(strings.Repeat("word ", 30) + "\n\nend.") })
	lines := strings.Split(got, "\n")
	if len(lines) != 5 || lines[2] != "" || lines[3] != "end." {
		t.Errorf("got\n%s", got)
	}
}

func TestHangingTextFitsTheTerminal(t *testing.T) {
	path := strings.Repeat("folder/", 20)
	write := func(p *page) { p.item("  do: ", "move the file "+path+" away and push it again") }
	if got, want := render(24, write), "  do: move the file\n      "+path+"\n      away and push it\n      again\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got := render(0, write); strings.Count(got, "\n") != 1 {
		t.Errorf("in a pipe the text was broken:\n%s", got)
	}
}

func TestATerminalIsNotSteeredByData(t *testing.T) {
	for in, want := range map[string]string{
		"plain":               "plain",
		"tag\x1b[2Jgone":      `tag\u001b[2Jgone`,
		"two\nlines":          `two\nlines`,
		"ümläut 漢字":           "ümläut 漢字",
		"\u202eright-to-left": `\u202eright-to-left`,
		"bad\x9b2J":           "bad\ufffd2J",
		"\a\r":                `\u0007\u000d`,
	} {
		if got := printable(in); got != want {
			t.Errorf("%q is shown as %q, not %q", in, got, want)
		}
	}
}

func TestHumanWords(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.00 KiB", 1536: "1.50 KiB", 10 << 20: "10.0 MiB", 1023 << 20: "1023 MiB", 1<<30 - 1: "1.00 GiB",
		1 << 40: "1.00 TiB", 1<<63 - 1: "8.00 EiB",
	} {
		if got := humanBytes(n); got != want {
			t.Errorf("%d bytes are %s, not %s", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1 000", 1234567: "1 234 567", -1000: "-1 000"} {
		if got := humanCount(n); got != want {
			t.Errorf("%d is %s, not %s", n, got, want)
		}
	}
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for ago, want := range map[time.Duration]string{
		-time.Hour: "in the future", 5 * time.Second: "just now", 3 * time.Minute: "3 min ago", 47 * time.Hour: "47 h ago", 49 * time.Hour: "2 days ago",
	} {
		if got := humanAge(now.Add(-ago), now); got != want {
			t.Errorf("%s ago is %s, not %s", ago, got, want)
		}
	}
	if got := humanTime(now.In(time.FixedZone("", 3600))); got != "2026-11-21 12:00:00 UTC" {
		t.Error(got)
	}
}

func TestNearest(t *testing.T) {
	candidates := []string{"status", "schema", "snapshots", "restore", "repair", "version"}
	for in, want := range map[string]string{
		"statsu": "status", "shcema": "schema", "snapshot": "snapshots", "restor": "restore", "repiar": "repair", "frobnicate": "", "x": "", "": "",
	} {
		got, ok := nearest(in, candidates)
		if got != want || ok != (want != "") {
			t.Errorf("%q is nearest to %q", in, got)
		}
	}
}
