package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/progress"
)

func testConsole(format format) (c *console, stdout, stderr *bytes.Buffer) {
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	c = newConsole(strings.NewReader(""), stdout, stderr)
	c.format = format
	return c, stdout, stderr
}

func TestAnErrorBecomesAnExitCode(t *testing.T) {
	interrupted, cancel := context.WithCancelCause(context.Background())
	cancel(errInterrupted)
	for _, c := range []struct {
		name   string
		ctx    context.Context
		err    error
		code   int
		stderr string
	}{
		{"none", context.Background(), nil, 0, ""},
		{"a plain one", context.Background(), errors.New("broken"), 1, "error: broken\n"},
		{"a wrong call", context.Background(), fault.Usagef("wrong"), 2, "error: wrong\n"},
		{"a finding", context.Background(), fault.Foundf("found"), 3, "error: found\n"},
		{"a refusal with a hint", context.Background(), fault.Refusedf("no").WithHint("do this"), 4, "error: no\nhint: do this\n"},
		{"a wrapped refusal", context.Background(), fmt.Errorf("because: %w", fault.Refusedf("no").WithHint("do this")), 4, "error: because: no\nhint: do this\n"},
		{"text that steers a terminal", context.Background(), errors.New("tag \x1b[2J"), 1, "error: tag \\u001b[2J\n"},
		{"an interruption", interrupted, fmt.Errorf("dump: %w", context.Canceled), 130, "error: interrupted\n"},
		{"an error after an interruption", interrupted, errors.New("cannot tidy up"), 130, "error: interrupted: cannot tidy up\n"},
		{"success in spite of an interruption", interrupted, nil, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			console, stdout, stderr := testConsole(tableFormat)
			if code := console.finish(c.ctx, c.err); code != c.code {
				t.Errorf("exit code %d, not %d", code, c.code)
			}
			if stderr.String() != c.stderr || stdout.Len() > 0 {
				t.Errorf("stderr %q, stdout %q", stderr, stdout)
			}
		})
	}
}

func TestWithJSONThereIsOneDocument(t *testing.T) {
	c, stdout, _ := testConsole(jsonFormat)
	if err := c.print(map[string]string{"a": "<b>"}, nil); err != nil {
		t.Fatal(err)
	}
	c.finish(t.Context(), fault.Foundf("found"))
	if got := stdout.String(); got != "{\n  \"a\": \"<b>\"\n}\n" {
		t.Errorf("stdout has\n%s", got)
	}
}

func TestLogLines(t *testing.T) {
	for _, c := range []struct{ format, want string }{
		{"text", "hello\nwarning: careful (table a\\nb, rows 3)\nerror: bad\n"},
		{"json", `"msg":"careful","table":"a\nb","rows":3`},
	} {
		var out bytes.Buffer
		log := newLogger(&out, c.format, slog.LevelInfo)
		log.Debug("unheard")
		log.Info("hello")
		log.With("table", "a\nb").Warn("careful", "rows", 3)
		log.Error("bad")
		if !strings.Contains(out.String(), c.want) || strings.Contains(out.String(), "unheard") {
			t.Errorf("%s: %s", c.format, out.String())
		}
	}
}

func TestAPhaseInWords(t *testing.T) {
	start := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name  string
		phase phase
		after time.Duration
		line  string
		bar   string
	}{
		{
			"half of it", phase{"dump", progress.Bytes, 200 << 20, 100 << 20, start}, 10 * time.Second,
			"dump: 100 MiB of 200 MiB (50%), 10.0 MiB/s, 10s left", "[############............] dump: 100 MiB of 200 MiB (50%), 10.0 MiB/s, 10s left",
		},
		{"no total", phase{"scan", progress.Keys, 0, 5000, start}, 10 * time.Second, "scan: 5 000 keys, 500 keys/s", "scan: 5 000 keys, 500 keys/s"},
		{"just begun", phase{"load", progress.Rows, 10, 0, start}, 0, "load: 0 of 10 rows (0%)", "[........................] load: 0 of 10 rows (0%)"},
		{"more than expected", phase{"load", progress.Rows, 10, 20, start}, time.Second, "load: 20 of 10 rows (100%), 20 rows/s", ""},
		{"work that is repeated", phase{"load", progress.Rows, 10, -5, start}, time.Second, "load: -5 of 10 rows (0%)", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.phase.line(start.Add(c.after)); got != c.line {
				t.Errorf("line %q", got)
			}
			if got := c.phase.bar(start.Add(c.after), 120); c.bar != "" && got != c.bar {
				t.Errorf("bar %q", got)
			}
			if got := c.phase.bar(start.Add(c.after), 20); len([]rune(got)) > 19 {
				t.Errorf("on a narrow terminal %q", got)
			}
		})
	}
}

func TestOtherOutputTakesTheBarAway(t *testing.T) {
	var out bytes.Buffer
	line := newStatusLine(&out)
	line.draw("half")
	fmt.Fprintln(line, "warning: x")
	line.draw("more")
	line.draw("")
	if got, want := out.String(), "half"+eraseLine+"warning: x\n"+"more"+eraseLine; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestABarEndsWithoutATrace(t *testing.T) {
	c, _, stderr := testConsole(tableFormat)
	report, done := c.progress()
	report.Begin("dump", 10, progress.Rows)
	report.Add(5)
	done()
	if stderr.Len() > 0 {
		t.Errorf("stderr has %q", stderr)
	}
	c.bars = false
	report, done = c.progress()
	report.Add(1)
	done()
}

func TestWhatCannotBeWrittenIsAnError(t *testing.T) {
	c := newConsole(strings.NewReader(""), broken{}, io.Discard)
	if err := c.print(1, func(p *page) { p.line("x") }); err == nil || !strings.Contains(err.Error(), "stdout") {
		t.Errorf("got %v", err)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no space") }
