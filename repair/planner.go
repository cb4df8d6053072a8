package repair

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"

	"github.com/harbordb/harbordb/database"
)

// planner reads one moment of a database and makes a plan of it.
type planner struct {
	*session
	plan     *Plan
	options  Options
	tables   tables
	policies map[int64]policy
	chosen   *policy         // the one that was named, if any
	counts   map[counted]int // places in the plan's Policies
	now      moment
	words    words
}

// counted is what rows are counted by.
type counted struct {
	vendor string
	id     int64
}

// planOf is the plan that fill makes of one moment.
func planOf(ctx context.Context, db *database.DB, kind Kind, o Options, fill func(*planner) error) (*Plan, error) {
	p, err := newPlanner(ctx, db, kind, o)
	if err == nil {
		defer p.close()
		err = fill(p)
	}
	if err != nil {
		return nil, explainReading(db.Engine(), err)
	}
	return p.plan, nil
}

// newPlanner opens the moment. The caller closes it.
func newPlanner(ctx context.Context, db *database.DB, kind Kind, o Options) (*planner, error) {
	target, err := targetOf(ctx, db)
	if err != nil {
		return nil, err
	}
	s, err := look(ctx, db)
	if err != nil {
		return nil, err
	}
	p := &planner{session: s, options: o, policies: map[int64]policy{}, counts: map[counted]int{}}
	p.plan = &Plan{Kind: kind, Target: target, OlderThan: int64(o.OlderThan.Seconds()),
		Rows: []Item{}, Policies: []Count{}, LeftAlone: []Item{}, Before: []Step{}, After: []Step{}, Notes: []string{}}
	if err := p.survey(ctx); err != nil {
		s.close()
		return nil, err
	}
	return p, nil
}

// survey finds out what kind of Harbor this is.
func (p *planner) survey(ctx context.Context) error {
	if err := p.harbor(ctx); err != nil {
		return err
	}
	var err error
	if p.tables, err = p.readTables(ctx); err != nil {
		return err
	}
	if err := p.tables.whole(); err != nil {
		return err
	}
	list, err := p.readPolicies(ctx)
	if err != nil {
		return err
	}
	for _, policy := range list {
		p.policies[policy.id] = policy
	}
	return nil
}

// policyList returns the policies in the order of their ids.
func (p *planner) policyList() []policy {
	list := make([]policy, 0, len(p.policies))
	for _, policy := range p.policies {
		list = append(list, policy)
	}
	slices.SortFunc(list, func(a, b policy) int { return cmp.Compare(a.id, b.id) })
	return list
}

// begin notes the clock and the words of a generation in the plan.
func (p *planner) begin(ctx context.Context, release string, z zone, w words, usual Outcome) error {
	var err error
	if p.now, err = p.session.now(ctx, z); err != nil {
		return err
	}
	if p.options.As == "" {
		p.options.As = usual
	}
	p.words = w
	p.plan.Made, p.plan.Release, p.plan.Word = p.now.made, release, w.word(p.options.As)
	return nil
}

// status is what open work becomes.
func (p *planner) status() Value { return Text(p.plan.Word.Status) }

// age is how long ago a row was touched; nil where nothing says.
type age *int64

func ageOf(n sql.NullInt64) age {
	if !n.Valid {
		return nil
	}
	return &n.Int64
}

// tooYoung reports whether a row is to be left alone. A row that does not say
// when it was touched is not young: Harbor always writes that.
func (p *planner) tooYoung(a age) bool {
	return p.options.OlderThan > 0 && a != nil && *a < p.plan.OlderThan
}

// young reports whether a row was touched within a day, for people.
func young(a age) bool { return a != nil && *a < int64(Day.Seconds()) }

// add puts changes of one table into the plan, with their items.
func (p *planner) add(t Table, changes []change, items []Item) {
	if len(changes) == 0 {
		return
	}
	for i := range items {
		items[i].Table = t.Name
		items[i].Changes = t.changed(changes[i])
		p.count(items[i]).Rows++
		if items[i].Young {
			p.count(items[i]).Young++
		}
	}
	p.plan.tables = append(p.plan.tables, tableChanges{table: t, changes: changes})
	p.plan.Rows = append(p.plan.Rows, items...)
}

// leave notes a row that is too young.
func (p *planner) leave(i Item) {
	p.count(i).LeftAlone++
	p.plan.LeftAlone = append(p.plan.LeftAlone, i)
}

// count finds the counter for the policy or vendor of an item.
func (p *planner) count(i Item) *Count {
	at, ok := p.counts[counted{i.Vendor, i.PolicyID}]
	if !ok {
		at = len(p.plan.Policies)
		p.counts[counted{i.Vendor, i.PolicyID}] = at
		c := Count{Vendor: i.Vendor, PolicyID: i.PolicyID, Policy: i.Policy}
		if i.Vendor == "" || i.Vendor == replicationType {
			c.State = p.policy(i.PolicyID).state()
		}
		p.plan.Policies = append(p.plan.Policies, c)
	}
	return &p.plan.Policies[at]
}

// policy returns a policy, or what stands for one that is gone.
func (p *planner) policy(id int64) policy {
	if known, ok := p.policies[id]; ok {
		return known
	}
	return policy{id: id, gone: true}
}

// set returns a row with columns replaced; names that the table of this
// release does not have are left out.
func (t Table) set(r Row, columns map[string]Value) Row {
	out := slices.Clone(r)
	for name, v := range columns {
		if at := t.at(name); at >= 0 {
			out[at] = v
		}
	}
	return out
}

// number reads an integer column; NULL is 0.
func (t Table) number(r Row, column string) (int64, error) {
	v := t.get(r, column)
	if v.IsNull() {
		return 0, nil
	}
	n, err := strconv.ParseInt(v.text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("table %s: %s %q is not a number", t.Name, column, v)
	}
	return n, nil
}
