package pgmodel

import (
	"fmt"
	"slices"
	"strings"
)

// owned is an object that has an owner and privileges, as ALTER and GRANT
// call it.
type owned struct {
	object  Object
	alter   string // "TABLE", "VIEW", …
	grant   string // "TABLE" for views too
	sql     string // name, with arguments
	owner   string
	acl     ACL
	columns []columnACL
	// follows: its owner changes with that of another object.
	follows bool
}

type columnACL struct {
	name string
	acl  ACL
}

// ownedObjects returns everything in the model that has an owner, but for the
// database itself.
func (m *Model) ownedObjects() []owned {
	var list []owned
	for _, s := range m.Schemas {
		list = append(list, owned{object: schemaObject(s.Name), alter: "SCHEMA", grant: "SCHEMA",
			sql: QuoteIdent(s.Name), owner: s.Owner, acl: s.ACL})
	}
	for _, f := range m.Functions {
		kind := strings.ToUpper(string(f.Kind))
		list = append(list, owned{object: object(f.Kind, f.Name), alter: kind, grant: kind,
			sql: f.SQL() + "(" + f.Arguments + ")", owner: f.Owner, acl: f.ACL})
	}
	for _, t := range m.Tables {
		o := owned{object: object(KindTable, t.Name), alter: "TABLE", grant: "TABLE", sql: t.SQL(), owner: t.Owner, acl: t.ACL}
		for _, c := range t.Columns {
			o.columns = append(o.columns, columnACL{c.Name, c.ACL})
		}
		list = append(list, o)
	}
	for _, s := range m.Sequences {
		list = append(list, owned{object: object(KindSequence, s.Name), alter: "SEQUENCE", grant: "SEQUENCE",
			sql: s.SQL(), owner: s.Owner, acl: s.ACL, follows: s.OwnedBy != nil})
	}
	for _, v := range m.Views {
		o := owned{object: object(v.kind(), v.Name), alter: strings.ToUpper(string(v.kind())), grant: "TABLE",
			sql: v.SQL(), owner: v.Owner, acl: v.ACL}
		for _, c := range v.Columns {
			o.columns = append(o.columns, columnACL{c.Name, c.ACL})
		}
		list = append(list, o)
	}
	for _, s := range m.Statistics {
		list = append(list, owned{object: object(KindStatistics, s.Name), alter: "STATISTICS", sql: s.SQL(), owner: s.Owner})
	}
	return list
}

// owners returns the roles that own something.
func (m *Model) owners() map[string]bool {
	owners := map[string]bool{m.Database.Owner: true}
	for _, o := range m.ownedObjects() {
		owners[o.owner] = true
	}
	return owners
}

// ownership gives every object its owner, the database first: from PostgreSQL
// 15 on, its owner is who may have objects in the schema public. What a user
// who is no superuser has no right to, stays with that user.
func (r *renderer) ownership() {
	if owner, ok := r.owner(r.m.Database.Owner); ok {
		r.access(statementf(r.databaseObject(), "ALTER DATABASE %s OWNER TO %s", QuoteIdent(r.t.Database), QuoteIdent(owner)))
	}
	for _, o := range r.m.ownedObjects() {
		if o.follows || o.object.Kind == KindStatistics && r.t.Major < 10 {
			continue
		}
		if o.object == schemaObject("public") {
			r.publicOwner(o.owner)
			continue
		}
		if owner, ok := r.owner(o.owner); ok {
			s := statementf(o.object, "ALTER %s %s OWNER TO %s", o.alter, o.sql, QuoteIdent(owner))
			s.Optional = o.object.Kind == KindStatistics
			r.access(s)
		}
	}
}

func (r *renderer) access(statements ...Statement) {
	for _, s := range statements {
		s.Optional = s.Optional || !r.t.Superuser
		r.s.Access = append(r.s.Access, s)
	}
}

// publicOwner gives the schema public away, which in a new database is not
// the user's. Where that cannot be, whoever owns the database has its rights.
func (r *renderer) publicOwner(owner string) {
	role := r.role(owner)
	if r.mayChangePublic() && (role == r.t.User || r.mayOwn(role)) {
		r.access(optionalf(schemaObject("public"), "ALTER SCHEMA public OWNER TO %s", QuoteIdent(role)))
	}
}

// mayChangePublic: before PostgreSQL 15 the schema public of a new database
// belongs to the server's first superuser.
func (r *renderer) mayChangePublic() bool { return r.t.Major >= 15 || r.t.Superuser }

// owner returns the role that an object of owner gets, and whether that takes
// a statement. What cannot be given away stays with the user and is counted.
func (r *renderer) owner(owner string) (string, bool) {
	role := r.role(owner)
	if role == r.t.User {
		return role, false
	}
	if !r.mayOwn(role) {
		r.unowned[owner]++
		return "", false
	}
	return role, true
}

// holder returns the role that owns on the target what owner owned.
func (r *renderer) holder(owner string) string {
	if role := r.role(owner); r.mayOwn(role) {
		return role
	}
	return r.t.User
}

// mayOwn reports whether the user can give objects to the role.
func (r *renderer) mayOwn(role string) bool {
	return r.exists(role) && (r.t.Owners == nil || slices.Contains(r.t.Owners, role))
}

// role returns the role that stands for name on the target.
func (r *renderer) role(name string) string {
	// The owner of the database, as a role, came with PostgreSQL 14.
	if name == "pg_database_owner" {
		if r.t.Major >= 14 {
			return name
		}
		name = r.m.Database.Owner
	}
	if r.t.Owner != "" && r.owners[name] {
		return r.t.Owner
	}
	return name
}

func (r *renderer) exists(role string) bool {
	return r.t.Roles == nil || slices.Contains(r.t.Roles, role)
}

// noteRoles says, once per role, what the absence of a role has cost.
func (r *renderer) noteRoles() {
	owners := make([]string, 0, len(r.unowned))
	for name := range r.unowned {
		owners = append(owners, name)
	}
	slices.Sort(owners)
	for _, name := range owners {
		r.note(Object{Kind: "role", Name: name}, "%d of its objects cannot be given to it and stay with %s",
			r.unowned[name], r.t.User)
	}
	slices.Sort(r.absent)
	for _, name := range slices.Compact(r.absent) {
		r.note(Object{Kind: "role", Name: name}, "it does not exist here; its privileges are left out")
	}
}

// privileges grants and revokes what differs from the default.
func (r *renderer) privileges() {
	for _, o := range r.m.ownedObjects() {
		if o.grant == "" {
			continue
		}
		if o.object == schemaObject("public") {
			if !r.mayChangePublic() {
				r.notePublic(o.acl)
				continue
			}
			o.acl = r.publicACL(o.acl)
		}
		on := " ON " + o.grant + " " + o.sql
		r.access(r.acl(o.object, o.owner, o.acl, "", on)...)
		for _, c := range o.columns {
			r.access(r.acl(o.object, o.owner, c.acl, " ("+QuoteIdent(c.name)+")", on)...)
		}
	}
}

// newPublic are the privileges that PUBLIC has on the schema public of a new
// database.
func (r *renderer) newPublic() []string {
	if r.t.Major >= 15 {
		return []string{"USAGE"}
	}
	return []string{"CREATE", "USAGE"}
}

// publicACL changes an ACL relative to a schema just made into one relative
// to the schema public of a new database.
func (r *renderer) publicACL(acl ACL) ACL {
	has, want := r.newPublic(), acl.ofPublic()
	var revoke []string
	for _, p := range has {
		if !slices.Contains(want, p) {
			revoke = append(revoke, p)
		}
	}
	out := ACL{Revoked: slices.Clone(acl.Revoked)}
	if len(revoke) > 0 {
		out.Revoked = append(out.Revoked, Grant{Privileges: revoke})
	}
	for _, g := range acl.Granted {
		if g.Grantee == "" {
			g.Privileges = slices.DeleteFunc(slices.Clone(g.Privileges), func(p string) bool { return slices.Contains(has, p) })
		}
		if len(g.Privileges) > 0 {
			out.Granted = append(out.Granted, g)
		}
	}
	return out
}

// ofPublic returns what PUBLIC is granted.
func (a ACL) ofPublic() []string {
	var list []string
	for _, g := range a.Granted {
		if g.Grantee == "" {
			list = append(list, g.Privileges...)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (r *renderer) notePublic(acl ACL) {
	if !slices.Equal(acl.ofPublic(), r.newPublic()) {
		r.note(schemaObject("public"), "its privileges cannot be changed without a superuser; PUBLIC has %s on it",
			strings.Join(r.newPublic(), ", "))
	}
}

// acl renders what an ACL revokes and grants on what "on" says, for whole
// objects or (columns) for a column.
func (r *renderer) acl(o Object, owner string, acl ACL, columns, on string) []Statement {
	var out []Statement
	for _, g := range acl.Revoked {
		if g.Grantee == owner {
			g.Grantee = r.holder(owner)
		}
		if privileges, grantee, ok := r.grant(o, g, columns); ok {
			out = append(out, statementf(o, "REVOKE %s%s FROM %s", privileges, on, grantee))
		}
	}
	for _, g := range inGrantOrder(acl.Granted, owner) {
		privileges, grantee, ok := r.grant(o, g, columns)
		if !ok {
			continue
		}
		option := ""
		if g.Grantable {
			option = " WITH GRANT OPTION"
		}
		s := statementf(o, "GRANT %s%s TO %s%s", privileges, on, grantee, option)
		out = append(out, r.as(o, g.Grantor, owner, s)...)
	}
	return out
}

// grant returns the privileges and the grantee of g as SQL, or false where
// nothing is left of it on the target.
func (r *renderer) grant(o Object, g Grant, columns string) (privileges, grantee string, ok bool) {
	var list []string
	for _, p := range g.Privileges {
		if p == "MAINTAIN" && r.t.Major < 17 {
			r.note(o, "PostgreSQL %d does not know the privilege MAINTAIN of role %s", r.t.Major, g.Grantee)
			continue
		}
		list = append(list, p+columns)
	}
	if len(list) == 0 {
		return "", "", false
	}
	if g.Grantee == "" {
		return strings.Join(list, ", "), "PUBLIC", true
	}
	role := r.role(g.Grantee)
	if !r.exists(role) {
		r.absent = append(r.absent, role)
		return "", "", false
	}
	return strings.Join(list, ", "), QuoteIdent(role), true
}

// inGrantOrder puts a grant after the one that let its grantor grant.
func inGrantOrder(grants []Grant, owner string) []Grant {
	may := map[string]bool{owner: true}
	rest := slices.Clone(grants)
	var out []Grant
	for len(rest) > 0 {
		i := slices.IndexFunc(rest, func(g Grant) bool { return may[g.Grantor] })
		i = max(i, 0)
		if rest[i].Grantable {
			may[rest[i].Grantee] = true
		}
		out = append(out, rest[i])
		rest = slices.Delete(rest, i, i+1)
	}
	return out
}

// as runs a grant in the name of its grantor where that is not the owner.
func (r *renderer) as(o Object, grantor, owner string, s Statement) []Statement {
	if grantor == owner || r.role(grantor) == r.role(owner) {
		return []Statement{s}
	}
	if !r.t.Superuser || !r.exists(r.role(grantor)) {
		r.note(o, "what role %s has granted is granted by the owner instead", grantor)
		return []Statement{s}
	}
	return []Statement{
		statementf(o, "SET SESSION AUTHORIZATION %s", QuoteIdent(r.role(grantor))), s,
		statementf(o, "RESET SESSION AUTHORIZATION"),
	}
}

// defaultPrivileges come last: they would change what the statements before
// them make.
func (r *renderer) defaultPrivileges() {
	for _, d := range r.m.DefaultPrivileges {
		o := Object{Kind: KindDefaultPrivilege, Name: d.Type + " of role " + d.Role}
		role := r.role(d.Role)
		switch {
		case !r.exists(role):
			r.absent = append(r.absent, role)
			continue
		case d.Type == "schemas" && r.t.Major < 10, d.Type == "large objects" && r.t.Major < 18:
			r.note(o, "PostgreSQL %d has none of this kind", r.t.Major)
			continue
		}
		prefix := "ALTER DEFAULT PRIVILEGES FOR ROLE " + QuoteIdent(role)
		if d.Schema != "" {
			prefix += " IN SCHEMA " + QuoteIdent(d.Schema)
		}
		for _, s := range r.acl(o, d.Role, d.ACL, "", " ON "+strings.ToUpper(d.Type)) {
			s.SQL = fmt.Sprintf("%s %s", prefix, s.SQL)
			s.Optional = role != r.t.User
			r.s.DefaultPrivileges = append(r.s.DefaultPrivileges, s)
		}
	}
}
