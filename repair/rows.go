package repair

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// line is one row in rows.jsonl. After holds only the columns that change.
type line struct {
	Table  int              `json:"table"` // its place in the plan's tables
	Item   item             `json:"item"`
	Before Row              `json:"before"`
	After  map[string]Value `json:"after"`
}

// item is what an Item knows beyond the row itself.
type item struct {
	Execution  int64  `json:"execution,omitempty"`
	Vendor     string `json:"vendor_type,omitempty"`
	PolicyID   int64  `json:"policy_id,omitempty"`
	Policy     string `json:"policy,omitempty"`
	Repository string `json:"repository,omitempty"`
	Operation  string `json:"operation,omitempty"`
	Age        *int64 `json:"age_seconds,omitempty"`
	Young      bool   `json:"young,omitempty"`
}

// encodeRows writes one line for each change. The items of a plan are in the
// order of its changes.
func encodeRows(w io.Writer, p *Plan) error {
	const full = 1 << 18
	var buffer []byte
	n := 0
	for i, t := range p.tables {
		for _, c := range t.changes {
			var err error
			if buffer, err = appendLine(buffer, i, p.Rows[n], t.table, c); err != nil {
				return fmt.Errorf("encode row %d of %s: %w", p.Rows[n].ID, t.table.Name, err)
			}
			n++
			if len(buffer) < full {
				continue
			}
			if _, err := w.Write(buffer); err != nil {
				return err
			}
			buffer = buffer[:0]
		}
	}
	_, err := w.Write(buffer)
	return err
}

// appendLine writes a line; decodeRows reads it.
func appendLine(b []byte, table int, i Item, t Table, c change) ([]byte, error) {
	text, err := json.Marshal(newLineItem(i))
	if err != nil {
		return nil, err
	}
	b = fmt.Appendf(b, `{"table":%d,"item":%s,"before":`, table, text)
	separator := byte('[')
	for _, v := range c.before {
		b = append(b, separator)
		if b, err = v.appendJSON(b); err != nil {
			return nil, err
		}
		separator = ','
	}
	b = append(b, `],"after":`...)
	separator = '{'
	for _, column := range t.changed(c) {
		name, err := json.Marshal(column.Column)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, separator), name...), ':')
		if b, err = column.To.appendJSON(b); err != nil {
			return nil, err
		}
		separator = ','
	}
	return append(b, "}}\n"...), nil
}

func (r *record) decodeRows(body io.Reader) error {
	decoder := json.NewDecoder(body)
	for {
		var l line
		if err := decoder.Decode(&l); err != nil {
			if err == io.EOF {
				return nil
			}
			return fmt.Errorf("read %s: %w", rowsName, err)
		}
		if l.Table < 0 || l.Table >= len(r.changes.tables) {
			return fmt.Errorf("read %s: there is no table %d", rowsName, l.Table)
		}
		t := &r.changes.tables[l.Table]
		c, err := t.table.change(l)
		if err != nil {
			return fmt.Errorf("read %s: a row of %s: %w", rowsName, t.table.Name, err)
		}
		t.changes = append(t.changes, c)
		shown, err := t.table.itemOf(c, l.Item)
		if err != nil {
			return fmt.Errorf("read %s: %w", rowsName, err)
		}
		r.Plan.Rows = append(r.Plan.Rows, shown)
	}
}

func newLineItem(i Item) item {
	return item{Execution: i.Execution, Vendor: i.Vendor, PolicyID: i.PolicyID, Policy: i.Policy,
		Repository: i.Repository, Operation: i.Operation, Age: i.Age, Young: i.Young}
}

// itemOf is the Item of a row, as the plan had it.
func (t Table) itemOf(c change, i item) (Item, error) {
	id, err := t.key(c.before)
	return Item{Table: t.Name, ID: id, Execution: i.Execution, Vendor: i.Vendor, PolicyID: i.PolicyID, Policy: i.Policy,
		Repository: i.Repository, Operation: i.Operation, Tags: t.get(c.before, "tags").text,
		From: t.get(c.before, "status"), To: t.get(c.after, "status"), Age: i.Age, Young: i.Young, Changes: t.changed(c)}, err
}

// change is what a line stands for.
func (t Table) change(l line) (change, error) {
	if len(l.Before) != len(t.Columns) {
		return change{}, fmt.Errorf("%d values for %d columns", len(l.Before), len(t.Columns))
	}
	c := change{before: l.Before, after: slices.Clone(l.Before)}
	for name, v := range l.After {
		at := t.at(name)
		if at < 0 {
			return c, fmt.Errorf("there is no column %q", name)
		}
		c.after[at] = v
	}
	if slices.Equal(c.before, c.after) {
		return change{}, errors.New("nothing changes")
	}
	return c, nil
}
