package main

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/harbordb/harbordb/repair"
)

func TestTablesOfRepairsFitATerminal(t *testing.T) {
	old, young := int64(2994*86400), int64(86399)
	tags := strings.Repeat("release-2018.05.04-build-1234,", 533) + "latest"
	repository := "a-rather-long-project/and/a/longer/repository-name"
	for name, items := range map[string][]repair.Item{
		"jobs": {
			{Table: "replication_job", ID: 123456, PolicyID: 123, Policy: "to-the-other-data-centre", Repository: repository, Operation: "transfer",
				Tags: tags, From: repair.Text("retrying"), To: repair.Text("finished"), Age: &young, Young: true},
		},
		"executions of 1.8": {
			{Table: "replication_task", ID: 1234567, Execution: 123456, PolicyID: 123, Policy: "to-the-other-data-centre", Repository: repository,
				Operation: "copy", From: repair.Text("InProgress"), To: repair.Text("Stopped"), Age: &old},
			{Table: "replication_execution", ID: 123456, PolicyID: 123, Policy: "to-the-other-data-centre", From: repair.Value{}, To: repair.Text("Stopped")},
		},
		"executions of 2.2": {
			{Table: "task", ID: 1234567, Execution: 123456, Vendor: "SYSTEM_ARTIFACT_CLEANUP", PolicyID: 1, Repository: repository,
				From: repair.Text("Scheduled"), To: repair.Text("Stopped"), Age: &young, Young: true},
		},
	} {
		text := render(80, func(p *page) { itemTable(p, items) })
		for _, line := range strings.Split(text, "\n") {
			if n := utf8.RuneCountInString(line); n > 80 {
				t.Errorf("%s: %d columns: %s", name, n, line)
			}
		}
		// In a pipe nothing is cut but the tags.
		if text := render(0, func(p *page) { itemTable(p, items) }); !strings.Contains(text, repository) || strings.Contains(text, tags) {
			t.Errorf("%s: in a pipe:\n%s", name, text)
		}
	}
}

func TestStepsAndNotesFitATerminal(t *testing.T) {
	text := render(60, func(p *page) {
		p.steps("before", []repair.Step{{What: strings.Repeat("stop jobservice, so that nothing runs; ", 4), Command: "docker compose stop\nkubectl scale"}})
		p.list("to know", []string{strings.Repeat("a stuck row of SCAN_ALL: ", 8)})
	})
	for _, line := range strings.Split(text, "\n") {
		if n := utf8.RuneCountInString(line); n > 60 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for _, want := range []string{
		"before\n  - stop jobservice, so that nothing runs; stop jobservice,\n    so that nothing runs; stop",
		"\n      docker compose stop\n    or\n      kubectl scale\n",
		"to know\n  a stuck row",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in\n%s", want, text)
		}
	}
}

func TestListOfRepairsFitsATerminal(t *testing.T) {
	var entries []repair.Entry
	for _, scope := range []string{"all policies", "policy 12345 (to-the-other-data-centre)"} {
		entries = append(entries, repair.Entry{ID: "20261121T023000.250Z-3f9a1c", Kind: repair.Replication, Scope: scope,
			Target: repair.Target{Database: "registry"}, Rows: 1234567, State: repair.PartlyUndone, Detail: strings.Repeat("rows are as before; ", 9), Next: "harbordb repair undo 20261121T023000.250Z-3f9a1c"})
	}
	text := render(80, func(p *page) { repairTable(p, entries) })
	for _, line := range strings.Split(text, "\n") {
		if n := utf8.RuneCountInString(line); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if !strings.Contains(text, "replication, all") || !strings.Contains(text, "partly undone") {
		t.Errorf("%s", text)
	}
}

func TestManyRowsAreCounted(t *testing.T) {
	items := make([]repair.Item, 1234)
	text := render(0, func(p *page) { itemTable(p, items) })
	if !strings.Contains(text, "… and 1 184 more; -o json lists all") {
		t.Errorf("%s", text)
	}
}

func TestAgesAreReadInDaysToo(t *testing.T) {
	for text, want := range map[string]time.Duration{"0": 0, "90m": 90 * time.Minute, "48h": 48 * time.Hour, "7d": 7 * repair.Day, "0d": 0} {
		if got, err := parseAge(text); got != want || err != nil {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "d", "-1h", "-1d", "soon", "7", "1.5d", "99999999999d", "9223372036854775807d"} {
		if got, err := parseAge(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}
