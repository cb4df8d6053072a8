package main

import (
	"context"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/harbordb/harbordb/internal/fault"
)

// session is one invocation of harbordb: what a command needs beside its own
// flags. Its methods open things (connect, openStore) and deal with the person
// at the terminal (console: print, confirm, progress, warnings).
type session struct {
	env     environ
	console *console
	global  globals
	// given says of each flag that was given how it was spelled: --store,
	// -o, or the variable that held it.
	given   map[string]string
	metrics measurement
}

// globals are the values of the global flags that say where things are. The
// flags about output are the console's.
type globals struct {
	dsn, harborConfig string
	passwordFile      string
	askPassword       bool
	caFile            string
	lockTimeout       time.Duration
	store             string
	metricsFile       string
}

// commands are the command groups, in the order in which help lists them.
//
// To add a group, write a file with a function such as
//
//	func backupCommand(s *session) *cli.Command {
//		return &cli.Command{
//			Name:      "backup",
//			Usage:     "one line for the list of commands",
//			ArgsUsage: "",                       // the arguments; see below
//			Description: "what it does, in whole sentences",
//			UsageText: "harbordb backup --label before-upgrade", // examples, one a line
//			Flags:     []cli.Flag{&cli.StringFlag{Name: "label", Usage: "…"}, dryRunFlag()},
//			Action:    func(c *cli.Context) error { return runBackup(c, s) },
//		}
//	}
//
// and add it here. What every command gets without doing anything:
//
//   - Flags may stand anywhere on the line, and each has its environment
//     variable HARBORDB_… (do not set EnvVars). A flag name means either a
//     switch or a flag with a value in all commands that have it.
//   - ArgsUsage is the truth about the arguments, not only a text: "ID" is
//     required, "[ID]" optional, "NAME..." one or more. Their number is checked
//     before the Action runs; c.Args() holds them.
//   - A group with Subcommands has no Action of its own.
//
// What an Action does: parse → open → one library call → print. It opens the
// database with s.connect, or with s.connectDirect where it depends on a
// session (locks, snapshots, changes), and the store with s.openStore or
// s.createStore. It prints with s.console.print(value, text), once. A change
// is shown and confirmed by s.confirm(c, plan), which handles --dry-run, --yes
// and the terminal. What --metrics-file is to know of, begins with
// s.metrics.begin. Long work takes its reporter from s.console.progress().
// Errors are returned, never printed: their fault.Kind is the exit code.
// c.Context is cancelled by the first SIGINT or SIGTERM.
//
// Other words for a command stand in synonyms.go.
func commands(s *session) []*cli.Command {
	return []*cli.Command{
		statusCommand(s),
		backupCommand(s),
		snapshotsCommand(s),
		restoreCommand(s),
		schemaCommand(s),
		doctorCommand(s),
		repairCommand(s),
		orphansCommand(s),
		versionCommand(s),
		completionCommand(s),
	}
}

// newApp builds the tree of commands. urfave/cli reads the values of flags and
// finds the action; the line is taken apart, help is printed and errors are
// reported by this package.
func newApp(s *session) *cli.App {
	app := &cli.App{
		Name:            "harbordb",
		Usage:           "look after the database of a Harbor registry",
		Flags:           globalFlags(),
		Commands:        commands(s),
		HideHelp:        true,
		HideVersion:     true,
		Writer:          io.Discard,
		ErrWriter:       io.Discard,
		ExitErrHandler:  func(*cli.Context, error) {},
		Before:          s.configure,
		OnUsageError:    returnError,
		HideHelpCommand: true,
	}
	prepareCommands(app.Commands)
	return app
}

// prepareCommands gives every command below what all have in common.
func prepareCommands(list []*cli.Command) {
	for _, command := range list {
		command.HideHelp = true
		command.OnUsageError = returnError
		prepareCommands(command.Subcommands)
	}
}

func returnError(_ *cli.Context, err error, _ bool) error { return err }

// run takes the line apart, prints help where it is asked for, and runs the
// command.
func (s *session) run(ctx context.Context, args []string) error {
	app := newApp(s)
	words, err := readLine(app, args)
	s.console.setFormat(words.early("output", "o"), s.env.get(flagVariable("output")))
	if err != nil {
		return err
	}
	call, err := resolve(app, words, s.env)
	if err != nil {
		return err
	}
	if call.help {
		return s.console.write(helpText(app, call.path))
	}
	s.given = call.given()
	if err = app.RunContext(ctx, call.argv()); err != nil {
		err = call.explain(err)
	}
	s.leaveMetrics(ctx, err)
	return err
}

// globalFlags are the flags of every command.
func globalFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "dsn", Usage: "the database: postgres://user@host:5432/registry?sslmode=… or mysql://user@host:3306/registry?tls=… (`URL`)"},
		&cli.StringFlag{Name: "harbor-config", Usage: "Harbor's own settings: harbor.yml, harbor.cfg, or a rendered env `FILE`"},
		&cli.StringFlag{Name: "password-file", Usage: "read the database password from `FILE`"},
		&cli.BoolFlag{Name: "ask-password", Aliases: []string{"W"}, Usage: "ask for the database password on the terminal"},
		&cli.StringFlag{Name: "ca-file", Usage: "extra root certificates for every TLS connection, PEM `FILE`"},
		&cli.DurationFlag{Name: "lock-timeout", Value: 30 * time.Second, Usage: "how long any lock in the database may be waited for (`DURATION`)"},
		&cli.StringFlag{Name: "store", Value: "./harbordb-store", Usage: "where snapshots and repair journals live: a directory, file:///path, or s3://bucket/prefix?endpoint=…&region=… (`URL`)"},
		&cli.StringFlag{Name: "metrics-file", Usage: "leave what backup, verify, prune, drill, doctor and scan measured in `FILE`, whose name ends in .prom, for node_exporter's textfile collector"},
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Value: "table", Usage: "`FORMAT` of the result on stdout: table or json"},
		&cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "answer yes to the confirmation of a change"},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "no progress and no messages but errors"},
		&cli.BoolFlag{Name: "no-progress", Usage: "no progress"},
		&cli.StringFlag{Name: "log-level", Value: "info", Usage: "`LEVEL` of the messages on stderr: debug, info, warn or error"},
		&cli.StringFlag{Name: "log-format", Value: "text", Usage: "`FORMAT` of the messages on stderr: text or json"},
	}
}

// dryRunFlag is --dry-run, for each command that changes something; confirm
// reads it.
func dryRunFlag() cli.Flag {
	return &cli.BoolFlag{Name: "dry-run", Usage: "print the plan and change nothing"}
}

// configure takes over the values of the global flags, before any command.
func (s *session) configure(c *cli.Context) error {
	s.global = globals{
		dsn:          c.String("dsn"),
		harborConfig: c.String("harbor-config"),
		passwordFile: c.String("password-file"),
		askPassword:  c.Bool("ask-password"),
		caFile:       c.String("ca-file"),
		lockTimeout:  c.Duration("lock-timeout"),
		store:        c.String("store"),
		metricsFile:  c.String("metrics-file"),
	}
	if err := checkMetricsFile(s.global.metricsFile); err != nil {
		return err
	}
	if s.global.lockTimeout <= 0 {
		return fault.Usagef("--lock-timeout %s: it must be more than 0, because no lock is waited for without end", s.global.lockTimeout)
	}
	if s.global.askPassword && s.global.passwordFile != "" {
		return fault.Usagef("--password-file and -W both name the password")
	}
	return s.console.configure(c)
}
