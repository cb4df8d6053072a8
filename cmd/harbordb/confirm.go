package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/harbordb/harbordb/internal/fault"
)

// plan is a change that a command is about to make, in the three ways in which
// it is shown.
type plan struct {
	value    any         // the document of --dry-run -o json
	text     func(*page) // for a person
	question string      // what the person is asked, such as "Restore snapshot … over registry?"
}

// confirm shows a plan and finds out whether it is to be carried out. With
// --dry-run the plan is the result, and confirm returns false. Otherwise it
// returns true after --yes or the answer yes, and a Refused error in every
// other case. It reads --dry-run from the command's own flags.
func (s *session) confirm(c *cli.Context, p plan) (bool, error) {
	if c.Bool("dry-run") {
		return false, s.console.print(p.value, p.text)
	}
	if err := s.console.showPlan(p); err != nil {
		return false, err
	}
	if s.console.yes {
		return true, nil
	}
	if !isTerminal(s.console.stdin) {
		return false, fault.Refusedf("not confirmed: there is no terminal to ask on").
			WithHint("--yes carries the plan out, --dry-run only shows it")
	}
	answer, err := s.console.ask(c.Context, p.question+" [y/N] ")
	if err != nil {
		return false, err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true, nil
	}
	return false, fault.Refusedf("not confirmed; nothing was changed")
}

// showPlan prints the plan before the question; where stdout is kept for a
// document, on stderr.
func (c *console) showPlan(p plan) error {
	if c.format == jsonFormat {
		if c.quiet {
			return nil
		}
		_, err := io.WriteString(c.stderr, render(0, p.text))
		return err
	}
	return c.write(render(width(c.stdout), p.text))
}

// ask puts a question on stderr and returns one line of stdin.
func (c *console) ask(ctx context.Context, question string) (string, error) {
	fmt.Fprint(c.stderr, question)
	type reply struct {
		text string
		err  error
	}
	replies := make(chan reply, 1)
	go func() {
		text, err := bufio.NewReader(c.stdin).ReadString('\n')
		replies <- reply{text, err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(c.stderr)
		return "", fmt.Errorf("ask for confirmation: %w", ctx.Err())
	case r := <-replies:
		if r.err != nil && r.err != io.EOF {
			return "", fmt.Errorf("ask for confirmation: %w", r.err)
		}
		return r.text, nil
	}
}
