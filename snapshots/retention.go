package snapshots

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// All, as the count of a rule, keeps everything that the rule knows.
const All = -1

// Policy says which snapshots of a source are worth keeping; each rule keeps
// what it wants, whatever the others say. The rules are those of restic. Of an
// hour, a day, a week (ISO 8601), a month and a year, in UTC, the newest
// snapshot counts; a rule that runs out of snapshots keeps the oldest one, too.
type Policy struct {
	Last, Hourly, Daily, Weekly, Monthly, Yearly int
	// Within keeps what is younger than that, counted from the newest
	// snapshot: if backups stop, nothing more is lost.
	Within Span
	Labels []string
}

// Empty tells whether no rule is set.
func (p Policy) Empty() bool {
	return p.Last == 0 && p.Hourly == 0 && p.Daily == 0 && p.Weekly == 0 && p.Monthly == 0 && p.Yearly == 0 &&
		p.Within == Span{} && len(p.Labels) == 0
}

// Check returns an error for a count below All.
func (p Policy) Check() error {
	for _, n := range []int{p.Last, p.Hourly, p.Daily, p.Weekly, p.Monthly, p.Yearly} {
		if n < All {
			return fmt.Errorf("%d is not a number of snapshots; %d keeps all", n, All)
		}
	}
	return nil
}

// Span is a time as a calendar counts it: a month is not a number of days.
type Span struct{ Years, Months, Days, Hours int }

// ParseSpan reads numbers with the units y, m, w, d and h, such as 1y6m or
// 14d.
func ParseSpan(text string) (Span, error) {
	var s Span
	rest := text
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n, err := strconv.ParseUint(rest[:digits], 10, 16)
		if err != nil || digits == len(rest) {
			return Span{}, notASpan(text)
		}
		switch rest[digits] {
		case 'y':
			s.Years += int(n)
		case 'm':
			s.Months += int(n)
		case 'w':
			s.Days += 7 * int(n)
		case 'd':
			s.Days += int(n)
		case 'h':
			s.Hours += int(n)
		default:
			return Span{}, notASpan(text)
		}
		rest = rest[digits+1:]
	}
	if s == (Span{}) {
		return Span{}, notASpan(text)
	}
	return s, nil
}

func notASpan(text string) error {
	return fmt.Errorf("%q is not a time; it is written 1y6m, 2w, 14d or 36h", text)
}

// before returns the moment that lies the span before t.
func (s Span) before(t time.Time) time.Time {
	return t.AddDate(-s.Years, -s.Months, -s.Days).Add(-time.Duration(s.Hours) * time.Hour)
}

// Decision is what becomes of a snapshot, and why it is kept.
type Decision struct {
	Entry   Entry
	Reasons []string // empty: no rule keeps it
}

// Keep tells whether the snapshot stays.
func (d Decision) Keep() bool { return len(d.Reasons) > 0 }

// Group is one source with all its snapshots, newest first.
type Group struct {
	Source    Source // of the newest one
	Decisions []Decision
}

// ApplyPolicy decides which snapshots of each source are kept, and says why.
// Whatever the policy, it keeps the newest good snapshot of a source, the last
// one before the schema version changed, what does not verify, and what has a
// time after now. An empty policy keeps everything. Entries without a manifest
// belong to no source and are not in the result. Groups come in the order of
// their first snapshot.
func ApplyPolicy(entries []Entry, p Policy, now time.Time) []Group {
	groups := bySource(entries)
	for i := range groups {
		decide(groups[i].Decisions, p, now)
	}
	return groups
}

func bySource(entries []Entry) []Group {
	var groups []Group
	for _, e := range entries {
		if e.Manifest == nil {
			continue
		}
		i := slices.IndexFunc(groups, func(g Group) bool { return g.Source.SameSource(e.Manifest.Source) })
		if i < 0 {
			i = len(groups)
			groups = append(groups, Group{})
		}
		groups[i].Source = e.Manifest.Source
		groups[i].Decisions = append(groups[i].Decisions, Decision{Entry: e})
	}
	for _, g := range groups {
		slices.SortStableFunc(g.Decisions, func(a, b Decision) int {
			if c := b.Entry.Manifest.Time.Compare(a.Entry.Manifest.Time); c != 0 {
				return c
			}
			return strings.Compare(string(b.Entry.ID), string(a.Entry.ID))
		})
	}
	return groups
}

// decide fills in the reasons; decisions are newest first.
func decide(decisions []Decision, p Policy, now time.Time) {
	var good []*Decision
	for i := range decisions {
		d := &decisions[i]
		switch {
		case !d.Entry.Good():
			d.keep("it is corrupt; snapshots rm removes it")
		case d.Entry.Manifest.Time.After(now):
			d.keep("its time is in the future")
		default:
			good = append(good, d)
		}
	}
	if len(good) == 0 {
		return
	}
	protect(good)
	newest := good[0].Entry.Manifest.Time
	rules := p.rules()
	for i, d := range good {
		m := d.Entry.Manifest
		if p.Empty() {
			d.keep("there is no rule")
		}
		if m.Label != "" && slices.Contains(p.Labels, m.Label) {
			d.keep("label " + m.Label)
		}
		if (p.Within != Span{}) && m.Time.After(p.Within.before(newest)) {
			d.keep("within the time of the newest")
		}
		for r := range rules {
			if reason := rules[r].take(m.Time.UTC(), i == len(good)-1); reason != "" {
				d.keep(reason)
			}
		}
	}
}

func (d *Decision) keep(reason string) { d.Reasons = append(d.Reasons, reason) }

// protect keeps what no policy may remove: the newest, the last before the
// schema version changed, and, where that was a way back, the last before it
// went up. good is newest first.
func protect(good []*Decision) {
	good[0].keep("the newest good snapshot")
	for i, d := range good[1:] {
		from, to := d.Entry.Manifest.Harbor.Version, good[i].Entry.Manifest.Harbor.Version
		if from != to {
			d.keep(fmt.Sprintf("the last before schema %s became %s", from, to))
		}
		if older(from, to) {
			return
		}
	}
}

// older compares schema versions: "12" and "15", or "1.4.0" and "1.5.0". What
// cannot be compared is taken as older.
func older(a, b string) bool {
	if a == b {
		return false
	}
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		m, errA := strconv.Atoi(x[i])
		n, errB := strconv.Atoi(y[i])
		switch {
		case errA != nil || errB != nil:
			return true
		case m != n:
			return m < n
		}
	}
	return len(x) < len(y)
}

// rule keeps the newest snapshot of each of so many periods.
type rule struct {
	name   string
	left   int
	period func(time.Time) string
	last   string // the period of the one kept last
}

func (p Policy) rules() []rule {
	by := func(layout string) func(time.Time) string {
		return func(t time.Time) string { return t.Format(layout) }
	}
	n := 0
	each := func(time.Time) string { n++; return strconv.Itoa(n) }
	week := func(t time.Time) string { year, week := t.ISOWeek(); return fmt.Sprint(year, "-", week) }
	return []rule{
		{name: "last", left: p.Last, period: each},
		{name: "hourly", left: p.Hourly, period: by("2006-01-02 15")},
		{name: "daily", left: p.Daily, period: by("2006-01-02")},
		{name: "weekly", left: p.Weekly, period: week},
		{name: "monthly", left: p.Monthly, period: by("2006-01")},
		{name: "yearly", left: p.Yearly, period: by("2006")},
	}
}

// take returns the reason to keep a snapshot, or nothing. Snapshots come
// newest first.
func (r *rule) take(t time.Time, oldest bool) string {
	if r.left == 0 {
		return ""
	}
	period := r.period(t)
	fresh := period != r.last
	if !fresh && !oldest {
		return ""
	}
	r.last = period
	if r.left != All {
		r.left--
	}
	if !fresh {
		return "oldest " + r.name
	}
	return r.name
}
