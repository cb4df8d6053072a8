package pgmodel

import (
	"fmt"
	"slices"
	"strings"
)

func (r *renderer) databaseObject() Object { return Object{Kind: KindDatabase, Name: r.t.Database} }

// create makes the database from template0, the only template in which
// another encoding or locale can be chosen.
func (r *renderer) create() {
	o, l := r.databaseObject(), r.m.Database.Locale
	sql := fmt.Sprintf("CREATE DATABASE %s TEMPLATE template0 ENCODING %s", QuoteIdent(r.t.Database),
		QuoteLiteral(r.m.Database.Encoding))
	provider := r.provider(l)
	collate, ctype := r.libcLocale(l.Collate, r.t.Collate, "collation"), r.libcLocale(l.Ctype, r.t.Ctype, "character type")
	if provider == "libc" && l.Provider == "builtin" {
		collate, ctype = r.builtinTwin(l.Name)
	}
	if r.t.Major >= 15 {
		sql += " LOCALE_PROVIDER " + provider
	}
	sql += " LC_COLLATE " + QuoteLiteral(collate) + " LC_CTYPE " + QuoteLiteral(ctype)
	switch provider {
	case "icu":
		sql += " ICU_LOCALE " + QuoteLiteral(l.Name)
		if l.Rules != "" && r.t.Major >= 16 {
			sql += " ICU_RULES " + QuoteLiteral(l.Rules)
		}
	case "builtin":
		sql += " BUILTIN_LOCALE " + QuoteLiteral(l.Name)
	}
	r.s.Create = Statement{Object: o, SQL: sql}
}

// provider returns the locale provider to use: the source's where the target
// has it, else the C library, which differs in the order of text only.
func (r *renderer) provider(l Locale) string {
	o := r.databaseObject()
	switch {
	case l.Provider == "icu" && (r.t.Major < 15 || !r.t.ICU):
		r.note(o, "the server cannot use ICU for a database; text is sorted by the C library's %s instead of ICU's %s", l.Collate, l.Name)
	case l.Provider == "icu" && l.Rules != "" && r.t.Major < 16:
		r.note(o, "PostgreSQL %d has no ICU rules; text is sorted by ICU's %s alone", r.t.Major, l.Name)
		return l.Provider
	case l.Provider == "builtin" && (r.t.Major < 17 || l.Name == "PG_UNICODE_FAST" && r.t.Major < 18):
		r.note(o, "PostgreSQL %d has no built-in locale %s; its twin of the C library is used", r.t.Major, l.Name)
	default:
		return l.Provider
	}
	return "libc"
}

// libcLocale returns the locale of the C library to use for name.
func (r *renderer) libcLocale(name, fallback, what string) string {
	if found, ok := r.findLocale(name); ok {
		return found
	}
	r.note(r.databaseObject(), "the server does not have the locale %s; %s is used for its %s", name, fallback, what)
	return fallback
}

// findLocale returns name as the target spells it. Spellings differ between
// systems: en_US.UTF-8 is en_US.utf8.
func (r *renderer) findLocale(name string) (string, bool) {
	if r.t.Locales == nil || name == "C" || name == "POSIX" || name == r.t.Collate || name == r.t.Ctype {
		return name, true
	}
	for _, l := range append([]string{r.t.Collate, r.t.Ctype}, r.t.Locales...) {
		if plainLocale(l) == plainLocale(name) {
			return l, true
		}
	}
	return "", false
}

func plainLocale(name string) string {
	return strings.ReplaceAll(strings.ToLower(name), "-", "")
}

// builtinTwin returns collation and character type of the C library that are
// nearest to a built-in locale: all of these sort by code point.
func (r *renderer) builtinTwin(name string) (collate, ctype string) {
	if name != "C" {
		if found, ok := r.findLocale("C.UTF-8"); ok {
			return "C", found
		}
	}
	return "C", "C"
}

// settings sets what belongs to the database itself, but for its owner.
func (r *renderer) settings() {
	d, o, name := r.m.Database, r.databaseObject(), QuoteIdent(r.t.Database)
	add := func(s ...Statement) { r.s.Settings = append(r.s.Settings, s...) }
	if d.Comment != "" {
		r.s.Comments = append(r.s.Comments, optionalf(o, "COMMENT ON DATABASE %s IS %s", name, QuoteLiteral(d.Comment)))
	}
	for _, s := range d.Settings {
		add(r.setting(s, name)...)
	}
	for _, s := range r.acl(o, d.Owner, d.ACL, "", " ON DATABASE "+name) {
		s.Optional = true
		add(s)
	}
	if d.ConnectionLimit >= 0 {
		add(optionalf(o, "ALTER DATABASE %s CONNECTION LIMIT %d", name, d.ConnectionLimit))
	}
	if d.IsTemplate {
		add(optionalf(o, "ALTER DATABASE %s IS_TEMPLATE true", name))
	}
	if !d.AllowConnections {
		r.note(o, "the source allowed no connections; this one allows them")
	}
}

// setting is optional: majors know different settings, and some take a
// superuser.
func (r *renderer) setting(s Setting, database string) []Statement {
	o := Object{Kind: KindSetting, Name: s.Name}
	set := "SET " + quoteSetting(s.Name) + " TO " + settingValue(s)
	if s.Role == "" {
		return []Statement{optionalf(o, "ALTER DATABASE %s %s", database, set)}
	}
	o.Name += " of role " + s.Role
	role := r.role(s.Role)
	if !r.exists(role) {
		r.note(o, "the role does not exist here")
		return nil
	}
	return []Statement{optionalf(o, "ALTER ROLE %s IN DATABASE %s %s", QuoteIdent(role), database, set)}
}

// quoteSetting quotes the parts of a name such as auto_explain.log_analyze.
func quoteSetting(name string) string {
	parts := strings.Split(name, ".")
	for i, p := range parts {
		parts[i] = QuoteIdent(p)
	}
	return strings.Join(parts, ".")
}

// listSettings hold lists of names, which the catalog keeps quoted; each name
// is a value of its own in SET (PostgreSQL source, GUC_LIST_QUOTE).
var listSettings = []string{
	"local_preload_libraries", "search_path", "session_preload_libraries",
	"shared_preload_libraries", "temp_tablespaces", "unix_socket_directories",
}

func settingValue(s Setting) string {
	if !slices.Contains(listSettings, strings.ToLower(s.Name)) {
		return QuoteLiteral(s.Value)
	}
	tokens, err := lex(s.Value)
	if err != nil || len(tokens) == 0 {
		return QuoteLiteral(s.Value)
	}
	var values []string
	for _, part := range splitAt(tokens, ",") {
		first, last := part[0], part[len(part)-1]
		value := s.Value[first.start:last.end]
		if name, ok := first.name(); ok && len(part) == 1 {
			value = name
		}
		values = append(values, QuoteLiteral(value))
	}
	return strings.Join(values, ", ")
}

// splitAt cuts tokens at a punctuation mark; empty parts are left out.
func splitAt(tokens []token, mark string) [][]token {
	var parts [][]token
	var part []token
	for _, t := range tokens {
		if !t.is(mark) {
			part = append(part, t)
			continue
		}
		if len(part) > 0 {
			parts = append(parts, part)
		}
		part = nil
	}
	if len(part) > 0 {
		parts = append(parts, part)
	}
	return parts
}
