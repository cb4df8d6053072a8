package mysql

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/snapshots/mymodel"
)

// rights are what the login may do, as SHOW GRANTS says.
type rights struct {
	account string // as a GRANT names it
	user    string
	grants  []grant
}

// grant are privileges on databases whose names fit a pattern.
type grant struct {
	privileges []string
	pattern    *regexp.Regexp // nil: on all
}

var grantForm = regexp.MustCompile("^GRANT (.+?) ON (?:TABLE )?(\\*|`(?:[^`]|``)*`)\\.\\* TO (\\S+)")

// readRights reads the grants. Those on single tables or routines do not
// count; a role that is not active does not, either.
func readRights(ctx context.Context, q database.Querier) (rights, error) {
	lines, err := texts(ctx, q, "SHOW GRANTS")
	if err != nil {
		return rights{}, fmt.Errorf("read rights of the login: %w", err)
	}
	account, err := texts(ctx, q, "SELECT CURRENT_USER()")
	if err != nil {
		return rights{}, fmt.Errorf("read rights of the login: %w", err)
	}
	user, host, _ := strings.Cut(account[0][0], "@")
	r := rights{user: user, account: mymodel.QuoteText(user) + "@" + mymodel.QuoteText(host)}
	for _, line := range lines {
		m := grantForm.FindStringSubmatch(line[0])
		if m == nil {
			continue
		}
		g := grant{}
		for p := range strings.SplitSeq(m[1], ",") {
			g.privileges = append(g.privileges, strings.ToUpper(strings.TrimSpace(p)))
		}
		if m[2] != "*" {
			g.pattern = likePattern(strings.ReplaceAll(strings.Trim(m[2], "`"), "``", "`"))
		}
		r.grants = append(r.grants, g)
	}
	return r, nil
}

// likePattern turns the name of a database in a GRANT, where % and _ stand
// for others, into a regular expression.
func likePattern(name string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString("(?is)^")
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c == '\\' && i+1 < len(name):
			i++
			b.WriteString(regexp.QuoteMeta(name[i : i+1]))
		case c == '%':
			b.WriteString(".*")
		case c == '_':
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(name[i : i+1]))
		}
	}
	b.WriteString("$")
	return regexp.MustCompile(b.String())
}

// may tells whether the login has a privilege on all of a database.
func (r rights) may(privilege, name string) bool {
	for _, g := range r.grants {
		if g.pattern != nil && !g.pattern.MatchString(name) {
			continue
		}
		if slices.Contains(g.privileges, privilege) || slices.Contains(g.privileges, "ALL PRIVILEGES") || slices.Contains(g.privileges, "ALL") {
			return true
		}
	}
	return false
}

func (r rights) missing(name string, privileges ...string) []string {
	var list []string
	for _, p := range privileges {
		if !r.may(p, name) {
			list = append(list, p)
		}
	}
	return list
}

// refuse names the grant that is missing.
func (r rights) refuse(doing, on string, missing []string) error {
	return fault.Refusedf("%s: the login lacks %s", doing, strings.Join(missing, ", ")).
		WithHint("GRANT %s ON %s TO %s", strings.Join(missing, ", "), on, r.account)
}

// escapedName is the name of a database as a GRANT takes it.
func escapedName(name string) string {
	return mymodel.QuoteIdent(strings.NewReplacer(`\`, `\\`, `_`, `\_`, `%`, `\%`).Replace(name))
}
