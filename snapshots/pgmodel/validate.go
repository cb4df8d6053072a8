package pgmodel

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	maxName = 63      // bytes: NAMEDATALEN - 1, beyond which a server cuts names in silence
	maxText = 4 << 20 // bytes of any one text: PostgreSQL's own limits are far lower for all but functions and comments
)

// Validate returns an error, naming the object, unless every name, number,
// fragment and reference in m is what a server could have said. A model that
// has passed can be rendered, and none of its texts can end a statement.
func (m *Model) Validate() error {
	if m.Format != FormatVersion {
		return fmt.Errorf("format %d is not %d", m.Format, FormatVersion)
	}
	if m.Major < 9 || m.Major > 99 {
		return fmt.Errorf("PostgreSQL %d", m.Major)
	}
	if err := checkTexts(reflect.ValueOf(*m), "model"); err != nil {
		return err
	}
	v := newValidator(m)
	for _, check := range []func() error{
		v.database, v.schemas, v.extensions, v.functionList, v.tables, v.sequences, v.views, v.statistics,
		v.references, v.defaultPrivileges,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// checkTexts looks at every text: it is UTF-8, holds no zero byte and is not
// too long. A field that is called a name is one.
func checkTexts(v reflect.Value, path string) error {
	switch v.Kind() {
	case reflect.String:
		return checkText(v.String(), path)
	case reflect.Pointer:
		if !v.IsNil() {
			return checkTexts(v.Elem(), path)
		}
	case reflect.Slice:
		for i := range v.Len() {
			if err := checkTexts(v.Index(i), fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := path + "." + v.Type().Field(i).Name
			if v.Type().Field(i).Anonymous {
				field = path
			}
			if err := checkTexts(v.Field(i), field); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkText(s, path string) error {
	switch {
	case len(s) > maxText:
		return fmt.Errorf("%s has %d bytes, more than %d", path, len(s), maxText)
	case !utf8.ValidString(s):
		return fmt.Errorf("%s is not UTF-8: %q", path, s)
	case strings.IndexByte(s, 0) >= 0:
		return fmt.Errorf("%s holds a zero byte: %q", path, s)
	}
	return nil
}

// checkNames checks names of objects, roles, columns.
func checkNames(names ...string) error {
	for _, n := range names {
		if n == "" || len(n) > maxName {
			return fmt.Errorf("%q is no name", n)
		}
	}
	return nil
}

// oneOf checks a word of the model; the empty word is one only if listed.
func oneOf[T ~string](what string, value T, words ...T) error {
	if !slices.Contains(words, value) {
		return fmt.Errorf("%s %q is not known", what, string(value))
	}
	return nil
}

// in says which object an error is about.
func in(o Object, errs ...error) error {
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%s: %w", o, err)
	}
	return nil
}

// about says which part of an object an error is about.
func about(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// validator knows what it has seen so far.
type validator struct {
	m         *Model
	lookup    lookup
	existing  map[string]bool    // schemas, of the model or of an extension
	columns   map[ColumnRef]bool // of tables
	relations map[Name]Kind      // tables, views, sequences and indexes share their names
	functions map[Ref]bool
}

func newValidator(m *Model) *validator {
	v := &validator{m: m, lookup: newLookup(m), existing: map[string]bool{}, columns: map[ColumnRef]bool{},
		relations: map[Name]Kind{}, functions: map[Ref]bool{}}
	for _, s := range m.Schemas {
		v.existing[s.Name] = true
	}
	for _, e := range m.Extensions {
		for _, s := range e.Schemas {
			v.existing[s] = true
		}
	}
	for _, t := range m.Tables {
		for _, c := range t.Columns {
			v.columns[ColumnRef{t.Name, c.Name}] = true
		}
	}
	return v
}

var (
	settingForm   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)*$`)
	optionForm    = regexp.MustCompile(`^(toast\.)?[a-z_][a-z0-9_]*=`)
	encodingForm  = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
	privilegeForm = regexp.MustCompile(`^[A-Z]+( [A-Z]+)?$`)
)

func (v *validator) database() error {
	d := v.m.Database
	o := Object{Kind: KindDatabase, Name: "itself"}
	if !encodingForm.MatchString(d.Encoding) {
		return in(o, fmt.Errorf("encoding %q", d.Encoding))
	}
	err := in(o, checkNames(d.Owner), oneOf("locale provider", d.Locale.Provider, "libc", "icu", "builtin"), checkACL(d.ACL))
	for _, s := range d.Settings {
		if !settingForm.MatchString(s.Name) {
			err = errors.Join(err, in(o, fmt.Errorf("setting %q", s.Name)))
		}
	}
	return err
}

func checkACL(acl ACL) error {
	for _, g := range append(slices.Clone(acl.Revoked), acl.Granted...) {
		if len(g.Privileges) == 0 {
			return errors.New("a grant of nothing")
		}
		for _, p := range g.Privileges {
			if !privilegeForm.MatchString(p) {
				return fmt.Errorf("privilege %q", p)
			}
		}
		if err := checkNames(g.Grantor); err != nil {
			return err
		}
	}
	return nil
}

func checkOptions(options []string) error {
	for _, o := range options {
		if !optionForm.MatchString(o) {
			return fmt.Errorf("storage parameter %q", o)
		}
	}
	return nil
}

func (v *validator) schemas() error {
	seen := map[string]bool{}
	for _, s := range v.m.Schemas {
		o := schemaObject(s.Name)
		if seen[s.Name] || strings.HasPrefix(s.Name, "pg_") || s.Name == "information_schema" {
			return in(o, errors.New("a schema of that name is there already"))
		}
		seen[s.Name] = true
		if err := in(o, checkNames(s.Name, s.Owner), checkACL(s.ACL)); err != nil {
			return err
		}
	}
	return nil
}

func (v *validator) extensions() error {
	for i, e := range v.m.Extensions {
		o := Object{Kind: KindExtension, Name: e.Name}
		if i > 0 && v.m.Extensions[i-1].Name == e.Name {
			return in(o, errors.New("it is there twice"))
		}
		err := in(o, checkNames(e.Name, e.Schema), checkNames(e.Schemas...))
		for _, t := range e.Config {
			err = errors.Join(err, in(o, checkNames(t.Table.Schema, t.Table.Name), checkNames(t.Columns...),
				about("condition of table "+t.Table.String(), checkCondition(t.Condition))))
		}
		for _, s := range e.ConfigSequences {
			err = errors.Join(err, in(o, checkNames(s.Schema, s.Name)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// inSchema reports whether a schema exists.
func (v *validator) inSchema(name string) error {
	if !v.existing[name] {
		return fmt.Errorf("schema %q is not there", name)
	}
	return nil
}

// relation takes a name in the space that tables, views, sequences and
// indexes share.
func (v *validator) relation(k Kind, n Name) error {
	if _, taken := v.relations[n]; taken {
		return fmt.Errorf("the name %s is taken", n)
	}
	v.relations[n] = k
	return errors.Join(checkNames(n.Schema, n.Name), v.inSchema(n.Schema))
}

func (v *validator) functionList() error {
	for i := range v.m.Functions {
		f := &v.m.Functions[i]
		o := object(f.Kind, f.Name)
		if v.functions[f.ref()] {
			return in(o, errors.New("it is there twice"))
		}
		v.functions[f.ref()] = true
		err := in(o, checkNames(f.Schema, f.Name.Name, f.Owner), v.inSchema(f.Schema), checkACL(f.ACL),
			oneOf("kind", f.Kind, KindFunction, KindProcedure),
			about("arguments", checkList(f.Arguments)), about("definition", checkFunction(f)))
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *validator) sequences() error {
	for _, s := range v.m.Sequences {
		o := object(KindSequence, s.Name)
		err := in(o, v.relation(KindSequence, s.Name), checkNames(s.Owner), checkACL(s.ACL), checkSequence(s))
		if s.OwnedBy != nil && len(v.m.Unsupported) == 0 {
			err = errors.Join(err, in(o, v.hasColumns(s.OwnedBy.Table, s.OwnedBy.Column)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func checkSequence(s Sequence) error {
	if err := oneOf("type", s.Type, "smallint", "integer", "bigint"); err != nil {
		return err
	}
	if s.Increment == 0 || s.Min > s.Max || s.Start < s.Min || s.Start > s.Max || s.Cache < 1 {
		return errors.New("its bounds contradict each other")
	}
	if s.Identity && s.OwnedBy == nil {
		return errors.New("it belongs to no identity column")
	}
	return nil
}

// hasColumns reports whether columns of a table exist.
func (v *validator) hasColumns(table Name, names ...string) error {
	for _, n := range names {
		if !v.columns[ColumnRef{table, n}] {
			return fmt.Errorf("table %s has no column %q", table, n)
		}
	}
	return nil
}
