package pgmodel

import (
	"encoding/json"
	"strings"
)

// comparison knows what two majors cannot both show.
type comparison struct {
	lower   int  // of the two majors
	differs bool // the majors do
}

func newComparison(a, b int) comparison { return comparison{lower: min(a, b), differs: a != b} }

// access are the attributes that depend on the roles and rights of a server,
// and dependencies, which follow from the rest.
var access = map[string]bool{
	"owner": true, "acl": true, "needs": true, "default_needs": true,
	"populated": true, // a view that reads an empty one stays empty: Render has noted it
}

// texts are the attributes that hold SQL as a server prints it.
var texts = map[string]bool{"default": true, "expression": true, "definition": true, "events": true, "detail": true, "arguments": true}

// normal is the normalizer of Compare. Asked for no attribute it says whether
// to leave the object out.
func (c comparison) normal(o Object, attribute, value string) (string, bool) {
	if attribute == "" {
		return "", c.leavesOut(o)
	}
	switch {
	case access[attribute], c.hides(o, attribute):
		return "", true
	case attribute == "not_null" && c.lower < 18:
		return "true", true
	case texts[attribute] && c.differs:
		return c.text(value), true
	case attribute == "constraint" && c.differs:
		return c.constraint(value), true
	}
	return value, false
}

func (c comparison) leavesOut(o Object) bool {
	switch o.Kind {
	case KindDatabase, KindSetting, KindDefaultPrivilege:
		return true
	case KindStatistics: // optional where the majors differ
		return c.differs
	case KindExtension: // is in every new database
		return o.Name == "plpgsql"
	case KindSchema:
		return o.Name == "public"
	}
	return false
}

// hides reports whether an attribute may differ although everything went
// well: the target does not have it, or the statement was optional.
func (c comparison) hides(o Object, attribute string) bool {
	switch attribute {
	case "version":
		return o.Kind == KindExtension
	case "comment":
		return o.Kind == KindExtension
	case "config", "config_sequences", "schemas":
		return o.Kind == KindExtension
	case "options":
		return c.differs && o.Kind != KindView
	case "query":
		return c.differs // printed in another way by every few majors
	case "compression":
		return true
	case "statistics":
		return c.lower < 11
	case "type":
		return o.Kind == KindSequence && c.lower < 10
	case "unlogged":
		return o.Kind == KindSequence && c.lower < 15
	}
	return false
}

// text returns SQL without what majors print differently: brackets, case,
// white space, the name of the current time, the mode IN of arguments.
func (c comparison) text(value string) string {
	var sql string
	if json.Unmarshal([]byte(value), &sql) != nil {
		return value
	}
	tokens, err := lex(sql)
	if err != nil {
		return value
	}
	var words []string
	for _, t := range tokens {
		switch {
		case t.is("("), t.is(")"), t.is("in"):
		case t.is("current_timestamp"):
			words = append(words, "now")
		case t.kind == word:
			words = append(words, strings.ToLower(t.text))
		default:
			words = append(words, t.text)
		}
	}
	return strings.Join(words, " ")
}

// constraint compares the text within a key's constraint.
func (c comparison) constraint(value string) string {
	var k Key
	if json.Unmarshal([]byte(value), &k) != nil {
		return value
	}
	definition, err := json.Marshal(k.Definition)
	if err != nil {
		return value
	}
	k.Definition = c.text(string(definition))
	out, err := json.Marshal(k)
	if err != nil {
		return value
	}
	return string(out)
}
