package repair

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/harbordb/harbordb/internal/fault"
)

// policy is a replication policy, or what is left of one.
type policy struct {
	id      int64
	name    string
	enabled bool
	deleted bool // up to 1.7 a deleted policy keeps its row
	gone    bool // there is no row, but rows of its work
}

// state is the policy's state in a word.
func (p policy) state() string {
	switch {
	case p.gone:
		return "gone"
	case p.deleted:
		return "deleted"
	case p.enabled:
		return "enabled"
	}
	return "disabled"
}

// String names the policy for people.
func (p policy) String() string {
	switch {
	case p.gone:
		return fmt.Sprintf("policy %d, which is gone", p.id)
	case p.deleted:
		return fmt.Sprintf("policy %d (%s), which is deleted", p.id, p.name)
	}
	return fmt.Sprintf("policy %d (%s)", p.id, p.name)
}

// policies reads all replication policies.
func (s *session) readPolicies(ctx context.Context) ([]policy, error) {
	t, ok, err := s.describe(ctx, "replication_policy", "id")
	if err != nil || !ok {
		return nil, err
	}
	var list []policy
	query := fmt.Sprintf("select %s from %s order by id", t.selection(s.d, ""), s.quote(t.Schema, t.Name))
	err = s.rows(ctx, t, query, nil, func(r Row) error {
		id, err := t.key(r)
		if err != nil {
			return err
		}
		list = append(list, policy{id: id, name: t.get(r, "name").text,
			enabled: t.get(r, "enabled").truth(), deleted: t.get(r, "deleted").truth()})
		return nil
	})
	return list, err
}

// truth reads a column of type boolean.
func (v Value) truth() bool { return v.text == "true" || v.text == "1" }

// choose finds the policy that a person names. A number is an id first, be it
// that of a policy or of rows that a vanished one left behind (remains says
// so), and a name only then. What is not written as a number is printed, such
// as 007, or is larger than any id, is a name alone.
func choose(name string, list []policy, remains func(id int64) (bool, error)) (policy, error) {
	if id, err := strconv.ParseInt(name, 10, 32); err == nil && strconv.FormatInt(id, 10) == name {
		if at := slices.IndexFunc(list, func(p policy) bool { return p.id == id }); at >= 0 {
			return list[at], nil
		}
		left, err := remains(id)
		if err != nil {
			return policy{}, err
		}
		if left {
			return policy{id: id, gone: true}, nil
		}
	}
	fits := named(name, list)
	switch len(fits) {
	case 1:
		return fits[0], nil
	case 0:
		return policy{}, fault.Usagef("there is no replication policy %q", name).WithHint("%s", catalogOf(list))
	}
	ids := make([]string, len(fits))
	for i, p := range fits {
		ids[i] = strconv.FormatInt(p.id, 10)
	}
	return policy{}, fault.Usagef("%d replication policies are named %q", len(fits), name).
		WithHint("name one by its id: %s", strings.Join(ids, ", "))
}

// named returns the policies of that name, deleted ones only where no other
// has it: the name of a deleted policy may be taken again.
func named(name string, list []policy) []policy {
	var fits, deleted []policy
	for _, p := range list {
		switch {
		case p.name != name:
		case p.deleted:
			deleted = append(deleted, p)
		default:
			fits = append(fits, p)
		}
	}
	if len(fits) == 0 {
		return deleted
	}
	return fits
}

// catalogOf lists policies for a message.
func catalogOf(list []policy) string {
	const most = 20
	if len(list) == 0 {
		return "this Harbor has no replication policy"
	}
	var texts []string
	for _, p := range list[:min(len(list), most)] {
		text := fmt.Sprintf("%d (%s)", p.id, p.name)
		if p.deleted {
			text += " deleted"
		}
		texts = append(texts, text)
	}
	if more := len(list) - most; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return "the policies are: " + strings.Join(texts, ", ")
}
