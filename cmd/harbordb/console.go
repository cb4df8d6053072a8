package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/progress"
)

// exitInterrupted is the exit code after SIGINT or SIGTERM, as shells have it.
const exitInterrupted = 130

// format is the form of the result on stdout.
type format string

const (
	tableFormat format = "table"
	jsonFormat  format = "json"
)

// console is the person, or the script, at the other end: the result goes to
// stdout, everything else to stderr, answers come from stdin. With the JSON
// format stdout carries one document and nothing else.
type console struct {
	stdin   io.Reader
	stdout  io.Writer
	stderr  *statusLine
	format  format
	yes     bool
	quiet   bool
	bars    bool // progress is wanted
	log     *slog.Logger
	printed bool // the document is out
}

func newConsole(stdin io.Reader, stdout, stderr io.Writer) *console {
	c := &console{stdin: stdin, stdout: stdout, format: tableFormat, bars: true}
	c.stderr = newStatusLine(stderr)
	c.log = newLogger(c.stderr, "text", slog.LevelInfo)
	return c
}

// setFormat decides the form of errors before the flags are parsed; what the
// line says wins over the environment.
func (c *console) setFormat(wanted, fromEnvironment string) {
	if wanted == "" {
		wanted = fromEnvironment
	}
	if wanted == string(jsonFormat) {
		c.format = jsonFormat
	}
}

// configure takes over the global flags about output.
func (c *console) configure(flags *cli.Context) error {
	switch f := format(flags.String("output")); f {
	case tableFormat, jsonFormat:
		c.format = f
	default:
		return fault.Usagef("--output %q: it is table or json", f)
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(flags.String("log-level"))); err != nil {
		return fault.Usagef("--log-level %q: it is debug, info, warn or error", flags.String("log-level"))
	}
	logFormat := flags.String("log-format")
	if logFormat != "text" && logFormat != "json" {
		return fault.Usagef("--log-format %q: it is text or json", logFormat)
	}
	c.yes = flags.Bool("yes")
	c.quiet = flags.Bool("quiet")
	c.bars = !c.quiet && !flags.Bool("no-progress")
	if c.quiet {
		level = slog.LevelError
	}
	c.log = newLogger(c.stderr, logFormat, level)
	return nil
}

// print writes the result of a command: value as JSON, or what text makes of
// it for a person. It is called once in a command.
func (c *console) print(value any, text func(*page)) error {
	c.printed = true
	if c.format == jsonFormat {
		return c.writeJSON(value)
	}
	return c.write(render(width(c.stdout), text))
}

func (c *console) writeJSON(value any) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("encode the result: %w", err)
	}
	return c.write(b.String())
}

// write puts text on stdout.
func (c *console) write(text string) error {
	if _, err := io.WriteString(c.stdout, text); err != nil {
		return fmt.Errorf("write the result to stdout: %w", err)
	}
	return nil
}

// say tells the person what is going on.
func (c *console) say(format string, args ...any) {
	c.log.Info(fmt.Sprintf(format, args...))
}

// warn tells the person of something that does not stop the command.
func (c *console) warn(format string, args ...any) {
	c.log.Warn(fmt.Sprintf(format, args...))
}

// progress returns a reporter that draws on stderr, and the function that
// ends the drawing.
func (c *console) progress() (reporter progress.Reporter, done func()) {
	if !c.bars {
		return progress.Discard, func() {}
	}
	bar := newBar(c.stderr)
	return bar, bar.stop
}

// failure is the JSON document of a command that failed.
type failure struct {
	Error failureDetail `json:"error"`
}

type failureDetail struct {
	Code    int    `json:"code"` // the exit code
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// finish reports how the command ended and returns the exit code. A result
// that is already printed stays the only document.
func (c *console) finish(ctx context.Context, err error) int {
	if err == nil {
		return 0
	}
	code := exitCode(ctx, err)
	message := strings.ReplaceAll(err.Error(), "\n", "; ") // joined errors stand in lines
	if code == exitInterrupted {
		if !errors.Is(err, context.Canceled) {
			message = "interrupted: " + message
		} else {
			message = "interrupted"
		}
	}
	hint := fault.HintOf(err)
	fmt.Fprintf(c.stderr, "error: %s\n", printable(message))
	if hint != "" {
		fmt.Fprintf(c.stderr, "hint: %s\n", printable(hint))
	}
	if c.format == jsonFormat && !c.printed {
		if err := c.writeJSON(failure{failureDetail{Code: code, Message: message, Hint: hint}}); err != nil {
			fmt.Fprintf(c.stderr, "error: %v\n", err)
		}
	}
	return code
}

// exitCode is how a command ends the process.
func exitCode(ctx context.Context, err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(context.Cause(ctx), errInterrupted):
		return exitInterrupted
	}
	return int(fault.KindOf(err))
}

// isTerminal says whether a person sits at the other end of a stream.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// width returns the columns of a terminal, or 0 where output is not cut: in a
// pipe or a file.
func width(stream any) int {
	f, ok := stream.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return columns
}
