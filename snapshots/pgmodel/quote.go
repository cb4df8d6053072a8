package pgmodel

import "strings"

// QuoteIdent returns name as an identifier in SQL. It always quotes: which
// words need it differs from one server major to the next. A name holds no
// zero byte (Validate sees to that).
func QuoteIdent(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// QuoteLiteral returns s as a string constant in SQL, safe under either value
// of standard_conforming_strings.
func QuoteLiteral(s string) string {
	q := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.Contains(s, `\`) {
		return " E" + strings.ReplaceAll(q, `\`, `\\`)
	}
	return q
}

// SQL returns the name as it stands in a statement.
func (n Name) SQL() string { return QuoteIdent(n.Schema) + "." + QuoteIdent(n.Name) }

// String returns the name for people.
func (n Name) String() string { return n.Schema + "." + n.Name }

// String returns the object for people, such as "table public.artifact".
func (o Object) String() string {
	if o.Schema == "" {
		return string(o.Kind) + " " + o.Name
	}
	return string(o.Kind) + " " + o.Schema + "." + o.Name
}

// String returns the note for people.
func (n Note) String() string { return n.Object.String() + ": " + n.Text }

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = QuoteIdent(n)
	}
	return strings.Join(quoted, ", ")
}
