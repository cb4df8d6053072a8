package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/harbordb/harbordb/snapshots/mymodel"
)

// gatherBytes is how much of the lines is written at a time.
const gatherBytes = 64 << 10

// selectList has the server print each column in its form. A FLOAT is printed
// with six digits; multiplied by a double it has all that it needs, and -0
// stays -0. CONCAT makes text of what the driver would turn into a number.
// HEX takes bits for a number; as bytes they have an even number of digits.
func selectList(columns []mymodel.Column) string {
	list := ""
	for i, c := range columns {
		if i > 0 {
			list += ", "
		}
		name := mymodel.QuoteIdent(c.Name)
		switch {
		case c.Form == mymodel.Hex && strings.HasPrefix(c.Type, "bit"):
			list += "LPAD(HEX(" + name + "), 16, '0')"
		case c.Form == mymodel.Hex:
			list += "HEX(" + name + ")"
		case c.Form == mymodel.Real:
			list += "CONCAT(" + name + " * 1e0)"
		case c.Form == mymodel.Digits:
			list += "CONCAT(" + name + ")"
		default:
			list += name
		}
	}
	return list
}

// copyRows runs a query and writes its rows as lines: fields separated by
// tabs, \N for NULL, and a backslash before what would end a field or a line.
func (s *session) copyRows(ctx context.Context, query string, to io.Writer) error {
	err := s.Raw(func(conn any) error {
		q, ok := conn.(driver.QueryerContext)
		if !ok {
			return errors.New("the driver cannot query")
		}
		rows, err := q.QueryContext(ctx, query, nil)
		if err != nil {
			return err
		}
		err = writeLines(rows, to)
		return errors.Join(err, rows.Close())
	})
	if err != nil {
		return err
	}
	return s.warned(ctx)
}

// writeLines reads the driver's rows themselves: through database/sql every
// value would be copied once more, which is a third of the time.
func writeLines(rows driver.Rows, to io.Writer) error {
	values := make([]driver.Value, len(rows.Columns()))
	buf := make([]byte, 0, 2*gatherBytes)
	for {
		err := rows.Next(values)
		if err == io.EOF {
			_, err = to.Write(buf)
			return err
		}
		if err != nil {
			return err
		}
		if buf, err = appendLine(buf, values); err != nil {
			return err
		}
		if len(buf) < gatherBytes {
			continue
		}
		if _, err := to.Write(buf); err != nil {
			return err
		}
		if buf = buf[:0]; cap(buf) > 1<<20 {
			buf = make([]byte, 0, 2*gatherBytes) // a wide row must not stay in memory
		}
	}
}

func appendLine(buf []byte, values []driver.Value) ([]byte, error) {
	for i, value := range values {
		if i > 0 {
			buf = append(buf, '\t')
		}
		switch v := value.(type) {
		case nil:
			buf = append(buf, '\\', 'N')
		case []byte:
			buf = appendEscaped(buf, v)
		case string:
			buf = appendEscaped(buf, []byte(v))
		case int64:
			buf = strconv.AppendInt(buf, v, 10)
		case uint64:
			buf = strconv.AppendUint(buf, v, 10)
		default:
			return buf, fmt.Errorf("the driver returns a %T in column %d", value, i+1)
		}
	}
	return append(buf, '\n'), nil
}

// escapes are the letters that stand for a byte after a backslash, as LOAD
// DATA reads them.
var escapes = [256]byte{0: '0', '\t': 't', '\n': 'n', '\r': 'r', '\\': '\\'}

func appendEscaped(buf, value []byte) []byte {
	from := 0
	for i, c := range value {
		if letter := escapes[c]; letter != 0 {
			buf = append(append(buf, value[from:i]...), '\\', letter)
			from = i + 1
		}
	}
	return append(buf, value[from:]...)
}
