// Command harbordb is the maintenance toolkit for the database of a Harbor
// registry.
//
// This package is the command line and nothing else. A command parses its
// flags, opens what it needs, makes one call into a library package and prints
// the value that comes back. Only this package prints, reads the environment,
// looks at the terminal or decides on an exit code; none of its functions but
// main ends the process. The ways in which a command line is read, a result
// printed, a change confirmed and an error reported stand here once, for all
// commands: app.go says how a command joins them.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	// The image and the static binary bring no zone database of their own.
	_ "time/tzdata"
)

func main() {
	env := newEnviron(os.Environ())
	// The PostgreSQL driver reads the environment by itself. All that it
	// finds there is overridden, except this: it would read a service file.
	os.Unsetenv("PGSERVICE")
	ctx, stop := untilInterrupted(context.Background())
	code := run(ctx, os.Args, env, os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is harbordb from its arguments to its exit code. args[0] is the name of
// the program.
func run(ctx context.Context, args []string, env environ, stdin io.Reader, stdout, stderr io.Writer) int {
	s := &session{env: env, console: newConsole(stdin, stdout, stderr)}
	return s.console.finish(ctx, s.run(ctx, args[1:]))
}

// errInterrupted is the cause of a context that a signal has cancelled.
var errInterrupted = errors.New("interrupted")

// untilInterrupted returns a context that the first SIGINT or SIGTERM cancels,
// so that work under way can stop and tidy up. The second one ends the process
// at once. stop ends the watching.
func untilInterrupted(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		if _, ok := <-signals; !ok {
			return
		}
		cancel(errInterrupted)
		if _, ok := <-signals; ok {
			os.Exit(exitInterrupted)
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		cancel(nil)
	}
}
