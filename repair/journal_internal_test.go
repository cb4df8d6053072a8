package repair

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// FuzzRows reads anything as rows.jsonl: it is refused or becomes rows that are
// written back as they were read.
func FuzzRows(f *testing.F) {
	f.Add(`{"table":0,"item":{"table":"task","id":1,"from":"Running","to":"Stopped"},"before":["1","Running"],"after":{"status":"Stopped"}}`)
	f.Add(`{"table":0,"item":{"from":null,"to":"x"},"before":["1",null],"after":{"status":{"base64":"/w=="}}}` + "\n")
	f.Add(`{"table":1}`)
	f.Add(`{"table":0,"before":[],"after":null}`)
	f.Fuzz(func(t *testing.T, text string) {
		table := Table{Schema: "public", Name: "task", Key: "id", Columns: []Column{{Name: "id", Type: "int4"}, {Name: "status", Type: "text"}}}
		read := func(text string) (record, error) {
			r := record{Plan: &Plan{}, changes: changes{tables: []tableChanges{{table: table}}}}
			return r, r.decodeRows(strings.NewReader(text))
		}
		r, err := read(text)
		if err != nil {
			return
		}
		r.Plan.tables = r.changes.tables
		var written bytes.Buffer
		if err := encodeRows(&written, r.Plan); err != nil {
			t.Fatal(err)
		}
		again, err := read(written.String())
		if err != nil {
			t.Fatalf("%v in\n%s", err, written.String())
		}
		for i, c := range r.changes.tables[0].changes {
			d := again.changes.tables[0].changes[i]
			if c.find(d.before) != asBefore || len(c.after) != len(d.after) || c.find(d.after) == otherwise {
				t.Fatalf("%+v became %+v", c, d)
			}
		}
	})
}

// FuzzValue writes any text and reads it again.
func FuzzValue(f *testing.F) {
	for _, text := range []string{"", "plain", "quote\"back\\slash", "control\x00\x1f", "ünïcödé \u2028 <html>", "\xff\xfe", "\ufffd", "{}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		data, err := json.Marshal(Text(text))
		if err != nil {
			t.Fatal(err)
		}
		var back Value
		if err := json.Unmarshal(data, &back); err != nil || back != Text(text) {
			t.Fatalf("%q became %s and then %q: %v", text, data, back, err)
		}
	})
}
