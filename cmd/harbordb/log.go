package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// newLogger returns the logger of one invocation; only this package logs.
func newLogger(w io.Writer, format string, level slog.Level) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
	}
	return slog.New(lineHandler{w: w, level: level})
}

// lineHandler writes messages as lines for a person, in the form of errors and
// hints: "warning: text (key value, key value)".
type lineHandler struct {
	w     io.Writer
	level slog.Level
	attrs []slog.Attr
}

func (h lineHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

func (h lineHandler) Handle(_ context.Context, r slog.Record) error {
	var details []string
	add := func(a slog.Attr) bool {
		details = append(details, fmt.Sprintf("%s %v", a.Key, a.Value))
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	text := r.Message
	if len(details) > 0 {
		text += " (" + strings.Join(details, ", ") + ")"
	}
	_, err := fmt.Fprintf(h.w, "%s%s\n", levelPrefix(r.Level), printable(text))
	return err
}

func levelPrefix(level slog.Level) string {
	switch level {
	case slog.LevelInfo:
		return ""
	case slog.LevelWarn:
		return "warning: "
	}
	return strings.ToLower(level.String()) + ": "
}

func (h lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.attrs = append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)
	return h
}

// WithGroup leaves groups out: no message of this package has one.
func (h lineHandler) WithGroup(string) slog.Handler { return h }
