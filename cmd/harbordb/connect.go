package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/harbor"
	"github.com/harbordb/harbordb/internal/fault"
)

// settings returns how the database is reached, by the flags and the
// environment; harbor.Sources.Resolve has the order.
func (s *session) settings(ctx context.Context) (database.Settings, error) {
	sources := harbor.Sources{
		DSN:         s.global.dsn,
		ConfigFile:  s.global.harborConfig,
		CAFile:      s.global.caFile,
		LockTimeout: s.global.lockTimeout,
		Getenv:      s.env.get,
		Home:        s.env.get("HOME"),
	}
	var err error
	switch {
	case s.global.passwordFile != "":
		sources.PasswordOrigin = s.given["password-file"] + " " + s.global.passwordFile
		sources.Password, err = readPassword(s.global.passwordFile)
	case s.global.askPassword:
		sources.PasswordOrigin = "the terminal"
		sources.Password, err = s.console.askPassword(ctx)
	}
	if err != nil {
		return database.Settings{}, err
	}
	settings, err := sources.Resolve()
	if err == nil {
		s.metrics.about(settings.Host, settings.Database)
	}
	return settings, err
}

// connectDirect is connect for work that needs a session of its own on the
// server: it refuses a connection pooler.
func (s *session) connectDirect(ctx context.Context) (*database.DB, error) {
	db, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := db.CheckDirect(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// connect opens the database. The caller closes it.
func (s *session) connect(ctx context.Context) (*database.DB, error) {
	settings, err := s.settings(ctx)
	if err != nil {
		return nil, err
	}
	s.console.log.Debug("connecting", "to", settings.String(), "host from", settings.Origin["host"])
	return database.Open(ctx, settings)
}

// readPassword reads a password file: its first line.
func readPassword(file string) (database.Secret, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fault.Failedf("--password-file: %w", err)
	}
	first, rest, _ := strings.Cut(string(data), "\n")
	if strings.TrimSpace(rest) != "" {
		return "", fault.Usagef("--password-file %s has more than one line", file)
	}
	if first = strings.TrimSuffix(first, "\r"); first == "" {
		return "", fault.Usagef("--password-file %s is empty", file)
	}
	return database.Secret(first), nil
}

// askPassword asks on the terminal itself, whatever stdin is.
func (c *console) askPassword(ctx context.Context) (database.Secret, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return "", fault.Refusedf("-W: there is no terminal to ask for the password on").
			WithHint("--password-file FILE")
	}
	defer tty.Close()
	before, err := term.GetState(int(tty.Fd()))
	if err != nil {
		return "", fmt.Errorf("ask for the password: %w", err)
	}
	fmt.Fprint(tty, "Password: ")
	type reply struct {
		password []byte
		err      error
	}
	replies := make(chan reply, 1)
	go func() {
		password, err := term.ReadPassword(int(tty.Fd()))
		replies <- reply{password, err}
	}()
	select {
	case <-ctx.Done():
		_ = term.Restore(int(tty.Fd()), before) // the echo must come back
		fmt.Fprintln(tty)
		return "", fmt.Errorf("ask for the password: %w", ctx.Err())
	case r := <-replies:
		fmt.Fprintln(tty)
		if r.err != nil {
			return "", fmt.Errorf("ask for the password: %w", r.err)
		}
		return database.Secret(r.password), nil
	}
}
