package pgmodel

import (
	"strings"
	"testing"
)

func TestLex(t *testing.T) {
	for _, c := range []struct{ name, sql, want string }{
		{"words and punctuation", `btree (a, b)`, `btree|(|a|,|b|)`},
		{"quoted identifiers", `"a""b"."select"`, `"a""b"|.|"select"`},
		{"strings", `'it''s' E'a\'b\\' B'01' x'ff' $$a$$ $q$ $$ $q$`, `'it''s'|E'a\'b\\'|B'01'|x'ff'|$$a$$|$q$ $$ $q$`},
		{"a cast", `'x'::character varying(3)`, `'x'|::|character|varying|(|3|)`},
		{"operators", `a->>'b' @> c || d`, `a|->>|'b'|@>|c||||d`},
		{"numbers", `1 2.5 .5 1e-5 12::int`, `1|2.5|.5|1e-5|12|::|int`},
		{"a slice", `a[1:2]`, `a|[|1|:|2|]`},
		{"letters beyond ASCII", `größe 😀`, `größe|😀`},
		{"a dollar in a name", `a$b$c`, `a$b$c`},
	} {
		t.Run(c.name, func(t *testing.T) {
			tokens, err := lex(c.sql)
			if err != nil {
				t.Fatal(err)
			}
			var texts []string
			for _, k := range tokens {
				texts = append(texts, k.text)
			}
			if got := strings.Join(texts, "|"); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// What could hide the end of a statement is no SQL that a server prints.
func TestLexRefuses(t *testing.T) {
	for _, c := range []struct{ name, sql string }{
		{"a comment", `a -- b`}, {"a comment in an operator", `a +-- b`}, {"a block comment", `a /* b */`},
		{"a block comment in an operator", `a */* b`}, {"an open string", `'a`}, {"an open quote", `"a`},
		{"an open escape", `E'a\'`}, {"an open dollar quote", `$a$ b $`}, {"a parameter", `$1`}, {"a backslash", `\! ls`},
		{"a unicode escape", `U&'\0041'`}, {"a unicode name", `U&"\0041"`}, {"a control character", "a\x01b"}, {"a brace", `{`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if tokens, err := lex(c.sql); err == nil {
				t.Errorf("%q gave %v", c.sql, tokens)
			}
		})
	}
}

func FuzzLex(f *testing.F) {
	for _, s := range []string{`a "b" 'c' E'd\'' $e$f$e$ 1.5e3 ::->> ()[],;.:`, `$a$$b$`, `"`, `E'\`, `--`, `1e+`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tokens, err := lex(s)
		if err != nil {
			return
		}
		at := 0
		for _, k := range tokens {
			if k.start < at || k.end <= k.start || s[k.start:k.end] != k.text {
				t.Fatalf("token %+v after byte %d", k, at)
			}
			if strings.Trim(s[at:k.start], " \t\n\r\f\v") != "" {
				t.Fatalf("%q is in no token", s[at:k.start])
			}
			at = k.end
		}
		if strings.Trim(s[at:], " \t\n\r\f\v") != "" {
			t.Fatalf("%q is in no token", s[at:])
		}
	})
}

// A quoted name and a quoted text are one token, and mean what was quoted.
func FuzzQuote(f *testing.F) {
	for _, s := range []string{"a", `a"b`, `"`, `'`, `\`, `\'`, "a\nb", "ü", "$$", "-- x", "E'", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.IndexByte(s, 0) >= 0 {
			return
		}
		tokens, err := lex(QuoteIdent(s))
		if err != nil || len(tokens) != 1 {
			t.Fatalf("%s: %v, %v", QuoteIdent(s), tokens, err)
		}
		if name, ok := tokens[0].name(); !ok || name != s {
			t.Fatalf("%s is the name %q", QuoteIdent(s), name)
		}
		if tokens, err = lex(QuoteLiteral(s)); err != nil || len(tokens) != 1 || tokens[0].kind != text {
			t.Fatalf("%s: %v, %v", QuoteLiteral(s), tokens, err)
		}
	})
}
