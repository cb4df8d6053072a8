package doctor

import (
	"fmt"
	"math"

	"github.com/harbordb/harbordb/database"
)

// counterState is where a sequence stands.
type counterState struct {
	last   int64
	called bool
}

// stateOf reads a sequence.
func (x *examination) stateOf(sequence string) (counterState, error) {
	var s counterState
	err := x.tx.QueryRowContext(x.ctx, "select last_value, is_called from "+x.name(sequence)).Scan(&s.last, &s.called)
	if err != nil {
		return s, fmt.Errorf("sequence %s: %w", sequence, err)
	}
	return s, nil
}

// name qualifies a table or sequence.
func (x *examination) name(relation string) string {
	return database.PostgreSQL.QuoteIdent(x.evidence.Record.Schema, relation)
}

// sequencesBehind compares each sequence with the highest number in its
// column, as the next row would.
func (x *examination) sequencesBehind() ([]string, error) {
	var found []string
	for _, c := range x.evidence.Counters() {
		state, err := x.stateOf(c.Sequence)
		if err != nil {
			return nil, err
		}
		var highest int64
		query := fmt.Sprintf("select coalesce(max(%s), 0) from %s", database.PostgreSQL.QuoteIdent(c.Column), x.name(c.Table))
		if err := x.tx.QueryRowContext(x.ctx, query).Scan(&highest); err != nil {
			return nil, fmt.Errorf("table %s: %w", c.Table, err)
		}
		next := state.last
		if state.called {
			next++
		}
		if next <= highest {
			found = append(found, fmt.Sprintf("%s gives %d next, and %s.%s has %d", c.Sequence, next, c.Table, c.Column, highest))
		}
	}
	return found, nil
}

// nearTheEnd is the share of a four-byte column's numbers that may be used.
const nearTheEnd = math.MaxInt32 / 10 * 8

func (x *examination) sequencesNearTheirEnd() ([]string, error) {
	var found []string
	for _, c := range x.evidence.Counters() {
		if !c.Integer {
			continue
		}
		state, err := x.stateOf(c.Sequence)
		if err != nil {
			return nil, err
		}
		if state.last > nearTheEnd {
			found = append(found, fmt.Sprintf("%s.%s is at %d of %d", c.Table, c.Column, state.last, math.MaxInt32))
		}
	}
	return found, nil
}
