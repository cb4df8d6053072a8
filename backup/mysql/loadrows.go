package mysql

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/harbordb/harbordb/snapshots"
	"github.com/harbordb/harbordb/snapshots/mymodel"
)

// loadPart loads one part and proves that it is what the manifest says.
func (l *loader) loadPart(ctx context.Context, w *loadWorker, t *tableLoad, part snapshots.Part) error {
	if err := w.parts.Open(ctx, part); err != nil {
		return err
	}
	load := l.insert
	if l.infile {
		load = l.loadData
	}
	rows, err := load(ctx, w, t)
	if err != nil {
		return err
	}
	if rows != part.Rows {
		return fmt.Errorf("the server took %d rows, not %d", rows, part.Rows)
	}
	tally, err := w.parts.Tally()
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unpacked = t.unpacked.Add(tally)
	return nil
}

// loadData has the server read the lines themselves. With LOCAL it goes on
// where a value does not fit, and warns: any warning is an error here. An
// error of the reader ends the stream early, which the count of rows and the
// reader itself tell.
func (l *loader) loadData(ctx context.Context, w *loadWorker, t *tableLoad) (int64, error) {
	in := &proved{parts: w.parts}
	mysql.RegisterReaderHandler(w.reader, func() io.Reader { return in })
	defer mysql.DeregisterReaderHandler(w.reader)
	result, err := w.ExecContext(ctx, loadStatement(t, w.reader))
	if in.err != nil {
		return 0, in.err
	}
	if err != nil {
		return 0, err
	}
	if err := w.warned(ctx); err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// proved remembers how reading ended.
type proved struct {
	parts *snapshots.PartReader
	err   error
}

func (p *proved) Read(buf []byte) (int, error) {
	n, err := p.parts.Read(buf)
	if err != nil && err != io.EOF {
		p.err = err
	}
	return n, err
}

// loadStatement names every column. The lines are bytes to the server: it
// takes each for what its column holds. Where one column has to go through a
// function all go through variables: with SET, an AUTO_INCREMENT column that
// is not in it would take 0 for a value to be made up.
func loadStatement(t *tableLoad, reader string) string {
	var names, variables, set []string
	direct := true
	for i, c := range t.model.Copied() {
		name, variable := mymodel.QuoteIdent(c.Name), fmt.Sprintf("@v%d", i+1)
		names, variables = append(names, name), append(variables, variable)
		switch c.Form {
		case mymodel.Hex:
			set, direct = append(set, name+" = UNHEX("+variable+")"), false
		case mymodel.Words:
			set, direct = append(set, name+" = CONVERT("+variable+" USING utf8mb4)"), false
		default:
			set = append(set, name+" = "+variable)
		}
	}
	sql := "LOAD DATA LOCAL INFILE " + mymodel.QuoteText("Reader::"+reader) + " INTO TABLE " + mymodel.QuoteIdent(t.Name) +
		` CHARACTER SET binary FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n' (`
	if direct {
		return sql + strings.Join(names, ", ") + ")"
	}
	return sql + strings.Join(variables, ", ") + ") SET " + strings.Join(set, ", ")
}

// insertBytes is how large a statement of many rows grows.
const insertBytes = 1 << 20

// insert loads lines as INSERT statements, for servers that do not take LOAD
// DATA LOCAL.
func (l *loader) insert(ctx context.Context, w *loadWorker, t *tableLoad) (rows int64, err error) {
	columns := t.model.Copied()
	head := "INSERT INTO " + mymodel.QuoteIdent(t.Name) + " (" + mymodel.Idents(t.Columns) + ") VALUES "
	most := min(insertBytes, l.packet-1024)
	lines := bufio.NewReaderSize(w.parts, 256<<10)
	statement, n := []byte(head), int64(0)
	flush := func() error {
		if n == 0 {
			return nil
		}
		if len(statement) >= l.packet {
			return fmt.Errorf("a row needs a statement of %d bytes, and the server's max_allowed_packet is %d", len(statement), l.packet)
		}
		result, err := w.ExecContext(ctx, string(statement))
		if err != nil {
			return err
		}
		added, err := result.RowsAffected()
		rows, statement, n = rows+added, append(statement[:0], head...), 0
		return err
	}
	var row []byte
	for {
		line, err := readLine(lines)
		if err == io.EOF {
			break
		}
		if err != nil {
			return rows, err
		}
		if row, err = appendRow(row[:0], line, columns); err != nil {
			return rows, err
		}
		if n > 0 && len(statement)+len(row)+1 > most {
			if err := flush(); err != nil {
				return rows, err
			}
		}
		if n > 0 {
			statement = append(statement, ',')
		}
		statement, n = append(statement, row...), n+1
	}
	return rows, flush()
}

// readLine returns a line without its end. Only at io.EOF is everything
// before it proved, which is in time: nothing is kept of a load that fails.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		line = bytes.Clone(line) // reading on overwrites it
		var rest []byte
		rest, err = r.ReadBytes('\n')
		line = append(line, rest...)
	}
	if err != nil {
		return nil, err
	}
	return line[:len(line)-1], nil
}

// appendRow writes a line as a row of an INSERT. The escapes of a line mean
// the same in a string of SQL; a quote has to be escaped, too. Text is marked
// as binary, so that the server takes its bytes as they are.
func appendRow(row, line []byte, columns []mymodel.Column) ([]byte, error) {
	row = append(row, '(')
	for i, c := range columns {
		field, rest, more := bytes.Cut(line, []byte{'\t'})
		if more == (i == len(columns)-1) {
			return nil, fmt.Errorf("a line has not %d fields", len(columns))
		}
		line = rest
		if i > 0 {
			row = append(row, ',')
		}
		if string(field) == `\N` {
			row = append(row, "NULL"...)
			continue
		}
		switch {
		case c.Form == mymodel.Hex:
			row = append(row, "X'"...)
		case c.Charset != "" && c.Form == mymodel.Plain:
			row = append(row, "_binary'"...)
		default:
			row = append(row, '\'')
		}
		for _, b := range field {
			if b == '\'' {
				row = append(row, '\'')
			}
			row = append(row, b)
		}
		row = append(row, '\'')
	}
	return append(row, ')'), nil
}
