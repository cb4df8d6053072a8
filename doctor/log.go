package doctor

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/harbordb/harbordb/internal/fault"
)

// Level is what a known line of a log means for Harbor.
type Level string

// The levels. A harmless line looks like an error and is none.
const (
	Broken   Level = "error"
	Trouble  Level = "warning"
	Harmless Level = "harmless"
)

// Certainty is how sure the meaning of a line is.
type Certainty string

// The certainties. Certain: the line has this one cause. Likely: this was the
// cause where it was looked into. Possible: one of several.
const (
	Certain  Certainty = "certain"
	Likely   Certainty = "likely"
	Possible Certainty = "possible"
)

// Match is a known line, with all its repetitions.
type Match struct {
	ID        string    `json:"id"`
	Level     Level     `json:"level"`
	Certainty Certainty `json:"certainty"`
	Means     string    `json:"means"`
	Next      string    `json:"next"`
	Count     int       `json:"count"`
	File      string    `json:"file"` // of the first
	Line      int       `json:"line"`
	Text      string    `json:"text"` // the beginning of the first, as it was printed
}

// Log collects what is known of the lines of logs: of core, jobservice,
// registry and the database, as files, and as docker logs, docker compose
// logs and kubectl logs print them. The zero Log is empty and ready. It is not
// safe for concurrent use.
type Log struct {
	Records int // read so far
	matches []Match
}

// Healthy reports that nothing but harmless lines was recognised.
func (l *Log) Healthy() bool {
	return !slices.ContainsFunc(l.matches, func(m Match) bool { return m.Level != Harmless })
}

// Matches returns what was recognised, errors first, each once, in the order
// in which they appeared.
func (l *Log) Matches() []Match {
	list := slices.Clone(l.matches)
	rank := func(m Match) int { return slices.Index([]Level{Broken, Trouble, Harmless}, m.Level) }
	slices.SortStableFunc(list, func(a, b Match) int { return rank(a) - rank(b) })
	return list
}

// maxRecord bounds what is kept of one record: a failed migration is printed
// with its whole file.
const maxRecord = 1 << 20

// Read reads a log to its end, compressed by gzip or not. name is its file,
// for people. Memory is bounded whatever the log holds.
func (l *Log) Read(ctx context.Context, name string, r io.Reader) error {
	lines, err := plainText(r)
	if err != nil {
		return fmt.Errorf("read log %s: %w", name, err)
	}
	var record strings.Builder
	first, number := 1, 0
	flush := func() {
		if record.Len() > 0 {
			l.recognise(name, first, record.String())
		}
		record.Reset()
	}
	for {
		line, err := readLine(lines)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read log %s: %w", name, err)
		}
		if err != nil && line == "" {
			flush()
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		number++
		line = unwrapJSON(line)
		if beginsRecord(line) {
			flush()
		}
		if record.Len() == 0 {
			first = number
		}
		if record.Len() < maxRecord {
			record.WriteString(line)
			record.WriteByte('\n')
		}
	}
}

// plainText unpacks what logrotate or docker have compressed, and refuses what
// PowerShell has written instead of finding nothing in it.
func plainText(r io.Reader) (*bufio.Reader, error) {
	const size = 64 << 10
	lines := bufio.NewReaderSize(r, size)
	start, err := lines.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch string(start) {
	case "\x1f\x8b":
		unpacked, err := gzip.NewReader(lines)
		if err != nil {
			return nil, err
		}
		return bufio.NewReaderSize(unpacked, size), nil
	case "\xff\xfe", "\xfe\xff":
		return nil, fault.Failedf("it is written in UTF-16").WithHint("turn it into UTF-8: iconv -f UTF-16 -t UTF-8")
	}
	return lines, nil
}

// readLine returns a line without its end; of one that is too long, the
// beginning.
func readLine(r *bufio.Reader) (string, error) {
	var line strings.Builder
	for {
		part, err := r.ReadSlice('\n')
		if line.Len() < maxRecord {
			line.Write(part)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		return strings.TrimRight(line.String(), "\r\n"), err
	}
}

// unwrapJSON takes the message out of a line of docker's own log files.
func unwrapJSON(line string) string {
	if !strings.HasPrefix(line, `{"log":`) {
		return line
	}
	var wrapped struct {
		Log string `json:"log"`
	}
	if json.Unmarshal([]byte(line), &wrapped) != nil {
		return line
	}
	return strings.TrimRight(wrapped.Log, "\r\n")
}

// recordForm is how a record begins; any other line goes on with the one
// before, as after a terminal that has wrapped it. Before a level or a time
// may stand what docker compose, kubectl and syslog put there.
var recordForm = regexp.MustCompile(`^(\x1b\[[0-9;]*m|\s)*(` +
	`\d{4}[-/]\d\d[-/]\d\d[T ]` + // a time
	`|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d ` + // syslog
	`|\[(pod/)?[^\] ]+\] ?[\d\[]` + // kubectl --prefix
	`|[\w.-]+ +\| ` + // docker compose
	`|\[(DEBUG|INFO|WARNING|WARN|ERROR|FATAL)\]` +
	`|time=` + // registry
	`|\d{1,3}(\.\d{1,3}){3} ` + // access log
	`|\{")`)

func beginsRecord(line string) bool { return recordForm.MatchString(line) }

// squeeze brings text into the form that patterns are matched against: small
// letters without blanks, quotes and backslashes, because logs lose and gain
// these on the way into a terminal, a ticket and back. It must agree with
// squeezed, which does it to patterns.
func squeeze(text string) string {
	if strings.IndexByte(text, '\x1b') >= 0 {
		text = escapes.ReplaceAllString(text, "")
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < utf8.RuneSelf {
			if c = squeezedASCII[c]; c != 0 {
				out = append(out, c)
			}
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		i += size - 1
		if !unicode.IsSpace(r) && !strings.ContainsRune("“”„‟‘’‚‛«»…\u200b\ufeff", r) {
			out = utf8.AppendRune(out, unicode.ToLower(r))
		}
	}
	return string(out)
}

// squeezedASCII is what squeeze makes of a byte; 0 where it leaves it out.
var squeezedASCII = func() (table [utf8.RuneSelf]byte) {
	for c := range table {
		if !unicode.IsSpace(rune(c)) && !strings.ContainsRune("\"'`\\", rune(c)) {
			table[c] = byte(unicode.ToLower(rune(c)))
		}
	}
	return table
}()

// escapes are a terminal's colours.
var escapes = regexp.MustCompile(`\x1b\[[0-9;]*[A-Za-z]`)

// shownText is how much of a line is shown.
const shownText = 200

// recognise looks a record up.
func (l *Log) recognise(file string, line int, record string) {
	l.Records++
	text := squeeze(record)
	for _, k := range knownLines {
		n := k.count(text)
		if n == 0 {
			continue
		}
		if i := slices.IndexFunc(l.matches, func(m Match) bool { return m.ID == k.id }); i >= 0 {
			l.matches[i].Count += n
			continue
		}
		shown := strings.Join(strings.Fields(escapes.ReplaceAllString(record, "")), " ")
		if r := []rune(shown); len(r) > shownText {
			shown = string(r[:shownText]) + "…"
		}
		l.matches = append(l.matches, Match{ID: k.id, Level: k.level, Certainty: k.certainty, Means: k.means, Next: k.next, Count: n, File: file, Line: line, Text: shown})
	}
}
