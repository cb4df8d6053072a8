// Package fault is the one error type by which harbordb tells a person what
// went wrong, how bad it is and what to do next.
//
// A package wraps an error in a fault only where it knows more than the text
// says: that the call was wrong (Usage), that going on would be unsafe
// (Refused), that the tool did its work and found what it looks for (Found),
// or which command comes next (a hint). Every other error stays a plain
// wrapped error and counts as Failed. Only cmd/harbordb prints a fault or
// turns it into an exit code. This package must never import another package
// of the module.
package fault

import (
	"errors"
	"fmt"
)

// Kind is how an error ends the process. Its value is the exit code.
type Kind int

// The kinds, with the exit codes that scripts depend on.
const (
	Failed  Kind = 1 // an error on the way; nothing half-done is left in place
	Usage   Kind = 2 // the call itself is wrong: flag, argument, unknown ID, release, policy, type
	Found   Kind = 3 // done, and it found what it looks for
	Refused Kind = 4 // unsafe, impossible here, or not confirmed; nothing was changed
)

// Error is an error with its kind and the next step.
type Error struct {
	Kind Kind
	Err  error  // what failed, on which object; lower case, no full stop
	Hint string // the next command or action; may be empty
}

// Error returns the text of the cause alone; the hint is printed apart.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// WithHint returns a copy of e with the hint replaced.
func (e *Error) WithHint(format string, args ...any) *Error {
	c := *e
	c.Hint = fmt.Sprintf(format, args...)
	return &c
}

// Failedf returns a fault of kind Failed; the format takes %w.
func Failedf(format string, args ...any) *Error { return newf(Failed, format, args...) }

// Usagef returns a fault of kind Usage; the format takes %w.
func Usagef(format string, args ...any) *Error { return newf(Usage, format, args...) }

// Foundf returns a fault of kind Found; the format takes %w.
func Foundf(format string, args ...any) *Error { return newf(Found, format, args...) }

// Refusedf returns a fault of kind Refused; the format takes %w.
func Refusedf(format string, args ...any) *Error { return newf(Refused, format, args...) }

func newf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Err: fmt.Errorf(format, args...)}
}

// Hint wraps err with a next step and keeps its kind. A nil err stays nil.
func Hint(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: KindOf(err), Err: err, Hint: fmt.Sprintf(format, args...)}
}

// KindOf returns the kind of the outermost fault in err's chain, or Failed.
func KindOf(err error) Kind {
	var f *Error
	if errors.As(err, &f) {
		return f.Kind
	}
	return Failed
}

// HintOf returns the first hint in err's chain, or the empty string.
func HintOf(err error) string {
	for err != nil {
		var f *Error
		if !errors.As(err, &f) {
			return ""
		}
		if f.Hint != "" {
			return f.Hint
		}
		err = f.Err
	}
	return ""
}
