package postgres

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/harbordb/harbordb/snapshots"
	"github.com/harbordb/harbordb/snapshots/pgmodel"
)

// printsFloatsAlike tells whether two servers print the same float with the
// same digits. Since PostgreSQL 12 the shortest text that reads back as the
// value is printed, before it up to 17 digits (release notes of 12).
func printsFloatsAlike(a, b int) bool { return (a >= 120000) == (b >= 120000) }

// PrintedUnlike returns the tables of a model, given as JSON, whose rows
// servers of the versions a and b print with other digits: of those,
// fingerprints that differ say nothing.
func PrintedUnlike(model []byte, a, b int) (map[string]bool, error) {
	unlike := map[string]bool{}
	if printsFloatsAlike(a, b) {
		return unlike, nil
	}
	m, err := pgmodel.Decode(bytes.NewReader(model))
	if err != nil {
		return nil, err
	}
	for i, c := range copied(m)[:len(m.Tables)] {
		if len(floatColumns(&m.Tables[i], c.Columns)) > 0 {
			unlike[c.FullName()] = true
		}
	}
	return unlike, nil
}

// floatColumn is a column to compare by value.
type floatColumn struct {
	index int
	bits  int
}

// floatColumns returns which of the copied columns hold floats, or arrays of
// them.
func floatColumns(t *pgmodel.Table, columns []string) []floatColumn {
	var list []floatColumn
	for i, name := range columns {
		for _, c := range t.Columns {
			switch {
			case c.Name != name:
			case strings.HasPrefix(c.Type, "double precision"):
				list = append(list, floatColumn{i, 64})
			case strings.HasPrefix(c.Type, "real"):
				list = append(list, floatColumn{i, 32})
			}
		}
	}
	return list
}

// valueTally is a LineTally that, where it is given columns, rewrites their
// floats in Go's own shortest form first, so that lines are compared by
// value.
type valueTally struct {
	snapshots.LineTally
	columns []floatColumn
	line    []byte // a line begun by an earlier write
}

// Write never fails.
func (v *valueTally) Write(p []byte) (int, error) {
	if len(v.columns) == 0 {
		return v.LineTally.Write(p)
	}
	n := len(p)
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			v.line = append(v.line, p...)
			return n, nil
		}
		v.line = append(v.line, p[:i]...)
		_, _ = v.LineTally.Write(append(v.normal(), '\n'))
		v.line, p = v.line[:0], p[i+1:]
	}
}

func (v *valueTally) normal() []byte {
	fields := bytes.Split(v.line, []byte{'\t'})
	for _, c := range v.columns {
		if c.index < len(fields) {
			fields[c.index] = normalFloats(fields[c.index], c.bits)
		}
	}
	return bytes.Join(fields, []byte{'\t'})
}

// normalFloats rewrites a float, or each float of an array.
func normalFloats(field []byte, bits int) []byte {
	var out []byte
	for len(field) > 0 {
		i := bytes.IndexAny(field, "{},")
		if i == 0 {
			out, field = append(out, field[0]), field[1:]
			continue
		}
		if i < 0 {
			i = len(field)
		}
		if f, err := strconv.ParseFloat(string(field[:i]), bits); err == nil {
			out = strconv.AppendFloat(out, f, 'g', -1, bits)
		} else {
			out = append(out, field[:i]...)
		}
		field = field[i:]
	}
	return out
}
