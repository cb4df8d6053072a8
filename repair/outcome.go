package repair

import (
	"strings"
	"time"

	"github.com/harbordb/harbordb/internal/fault"
)

// Outcome is what a repair says became of work that will never end.
type Outcome string

// The outcomes, understood for every generation of releases.
const (
	Finished Outcome = "finished"
	Stopped  Outcome = "stopped"
	Failed   Outcome = "failed"
)

// ParseOutcome returns the outcome that a person names.
func ParseOutcome(s string) (Outcome, error) {
	switch o := Outcome(strings.ToLower(s)); o {
	case Finished, Stopped, Failed:
		return o, nil
	}
	return "", fault.Usagef("%q is not a status that stuck work can get", s).WithHint("it is finished, stopped or failed, in every release")
}

// Word is an outcome in the words of a release.
type Word struct {
	Outcome Outcome `json:"outcome"`
	Status  string  `json:"status"` // as the release writes it
	Claim   string  `json:"claim"`  // what everybody will believe who reads it
}

// words are the final status words of a generation of releases.
type words map[Outcome]string

func (w words) word(o Outcome) *Word {
	claims := map[Outcome]string{
		Finished: "claims that the work was done, which nobody has checked",
		Stopped:  "says that the work was given up",
		Failed:   "claims that the work was tried and failed",
	}
	return &Word{Outcome: o, Status: w[o], Claim: claims[o]}
}

// all are the words, the most frequent first: a search through millions of rows
// compares them in this order.
func (w words) all() []string { return []string{w[Finished], w[Failed], w[Stopped]} }

// worst are the words in the order in which an execution takes its own from its
// tasks: one that failed decides, then one that was stopped.
func (w words) worst() []string { return []string{w[Failed], w[Stopped], w[Finished]} }

// Day is the age from which on --all and the repair of executions take a row
// for stuck where nobody says another. Harbor itself gives a job 24 hours.
const Day = 24 * time.Hour

// Options are what a person can say about a repair of stuck rows.
type Options struct {
	// OlderThan leaves rows alone that were touched more recently, by the
	// server's clock; 0 leaves none.
	OlderThan time.Duration
	// As is the outcome; empty means the release's usual one: finished up
	// to 1.7, stopped later.
	As         Outcome
	Deployment Deployment
}
