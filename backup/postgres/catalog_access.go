package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/snapshots/pgmodel"
)

// readDetails reads what an object of any kind may have: a comment and
// privileges.
func (c *catalog) readDetails(ctx context.Context) error {
	if err := c.readComments(ctx); err != nil {
		return err
	}
	return c.readACLs(ctx)
}

func (c *catalog) readComments(ctx context.Context) error {
	type row struct {
		Class, Text string
		OID         uint32
		Sub         int32
	}
	sql := fmt.Sprintf(`SELECT classoid::regclass::text AS class, objoid AS oid, objsubid AS sub, description AS text
		FROM pg_description
		WHERE objoid >= %d OR classoid = 'pg_extension'::regclass OR classoid = 'pg_namespace'::regclass
		UNION ALL
		SELECT classoid::regclass::text, objoid, 0, description FROM pg_shdescription
		WHERE classoid = 'pg_database'::regclass`, firstNormalOID)
	return load(ctx, c, "comments", sql, func(r row) {
		c.comments[partID{objectID{r.Class, r.OID}, r.Sub}] = r.Text
	})
}

// aclSources are where privileges are kept: each gives an object, its
// privileges and those that it would have by default. Objects whose
// privileges are NULL have the default.
const aclSources = `
	SELECT 'pg_class' AS class, oid, 0 AS sub, relacl AS acl,
		acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner) AS base FROM pg_class
	UNION ALL SELECT 'pg_class', a.attrelid, a.attnum, a.attacl, NULL
		FROM pg_attribute a WHERE a.attnum > 0 AND NOT a.attisdropped
	UNION ALL SELECT 'pg_proc', oid, 0, proacl, acldefault('f', proowner) FROM pg_proc
	UNION ALL SELECT 'pg_namespace', oid, 0, nspacl, acldefault('n', nspowner) FROM pg_namespace
	UNION ALL SELECT 'pg_database', oid, 0, datacl, acldefault('d', datdba) FROM pg_database
		WHERE datname = current_database()
	UNION ALL SELECT 'pg_default_acl', oid, 0, defaclacl,
		CASE WHEN defaclnamespace <> 0 THEN NULL
			ELSE acldefault(CASE defaclobjtype WHEN 'S' THEN 's' ELSE defaclobjtype END, defaclrole) END
		FROM pg_default_acl`

// aclRow is one privilege that one role has by an object's ACL (Set) or would
// have by default (Base).
type aclRow struct {
	Class, Privilege string
	OID              uint32
	Sub              int32
	Grantor, Grantee *string // nil: a role that was dropped; an empty grantee is PUBLIC
	Grantable        bool
	Set, Base        bool
}

func (c *catalog) readACLs(ctx context.Context) error {
	sql := `SELECT x.class, x.oid, x.sub, e.privilege, g.rolname::text AS grantor,
			CASE e.grantee WHEN 0 THEN '' ELSE r.rolname::text END AS grantee, e.grantable,
			bool_or(e.which = 'set') AS set, bool_or(e.which = 'base') AS base
		FROM (` + aclSources + `) x, LATERAL (
			SELECT 'set' AS which, * FROM aclexplode(x.acl) UNION ALL SELECT 'base', * FROM aclexplode(x.base)
		) e (which, grantor, grantee, privilege, grantable)
		LEFT JOIN pg_roles g ON g.oid = e.grantor LEFT JOIN pg_roles r ON r.oid = e.grantee
		WHERE x.acl IS NOT NULL
		GROUP BY x.class, x.oid, x.sub, e.privilege, e.grantor, e.grantee, g.rolname, r.rolname, e.grantable
		HAVING bool_or(e.which = 'set') <> bool_or(e.which = 'base')`
	grants := map[partID][]aclRow{}
	err := load(ctx, c, "privileges", sql, func(r aclRow) {
		id := partID{objectID{r.Class, r.OID}, r.Sub}
		if r.Grantor != nil && r.Grantee != nil {
			grants[id] = append(grants[id], r)
		}
	})
	for id, list := range grants {
		c.acls[id] = pgmodel.ACL{Granted: collectGrants(list, true), Revoked: collectGrants(list, false)}
	}
	return err
}

// collectGrants puts the privileges that are set, or those that are not, of
// each grantor and grantee together.
func collectGrants(list []aclRow, set bool) []pgmodel.Grant {
	var grants []pgmodel.Grant
	for _, r := range list {
		if r.Set != set {
			continue
		}
		g := pgmodel.Grant{Grantor: *r.Grantor, Grantee: *r.Grantee, Grantable: r.Grantable}
		i := slices.IndexFunc(grants, func(o pgmodel.Grant) bool { return compareGrants(o, g) == 0 })
		if i < 0 {
			i, grants = len(grants), append(grants, g)
		}
		grants[i].Privileges = append(grants[i].Privileges, r.Privilege)
	}
	for _, g := range grants {
		slices.Sort(g.Privileges)
	}
	slices.SortFunc(grants, compareGrants)
	return grants
}

// compareGrants orders grants by everything but their privileges.
func compareGrants(a, b pgmodel.Grant) int {
	if n := strings.Compare(a.Grantee, b.Grantee); n != 0 {
		return n
	}
	if n := strings.Compare(a.Grantor, b.Grantor); n != 0 {
		return n
	}
	return strings.Compare(fmt.Sprint(a.Grantable), fmt.Sprint(b.Grantable))
}

// readSystemPrivileges names the objects of the system and of extensions whose
// privileges are not those that they came with. They are no objects of the
// database, and a restore on another server or version finds others. What the
// information_schema came with, the server has not recorded.
func (c *catalog) readSystemPrivileges(ctx context.Context) error {
	type row struct{ Name string }
	sql := fmt.Sprintf(`SELECT pg_describe_object(x.class, x.oid, 0) AS name FROM (
			SELECT 'pg_class'::regclass AS class, oid, relnamespace AS nsp, relacl AS acl FROM pg_class
			UNION ALL SELECT 'pg_proc'::regclass, oid, pronamespace, proacl FROM pg_proc
			UNION ALL SELECT 'pg_type'::regclass, oid, typnamespace, typacl FROM pg_type
			UNION ALL SELECT 'pg_language'::regclass, oid, 0, lanacl FROM pg_language
			UNION ALL SELECT 'pg_namespace'::regclass, oid, oid, nspacl FROM pg_namespace WHERE nspname <> 'public'
		) x LEFT JOIN pg_init_privs i ON i.classoid = x.class AND i.objoid = x.oid AND i.objsubid = 0
		WHERE x.acl IS DISTINCT FROM i.initprivs AND (x.oid < %d OR EXISTS (SELECT FROM pg_depend d
			WHERE d.classid = x.class AND d.objid = x.oid AND d.deptype = 'e'))
		AND NOT EXISTS (SELECT FROM pg_namespace n WHERE n.oid = x.nsp AND n.nspname = 'information_schema')
		ORDER BY 1`, firstNormalOID)
	return load(ctx, c, "privileges of the system", sql, func(r row) {
		c.note(pgmodel.Object{Kind: "system object", Name: r.Name}, "its privileges were changed; they are not carried")
	})
}

type defaultPrivilegeRow struct {
	OID                uint32
	Role, Schema, Type string
}

func (c *catalog) readDefaultPrivileges(ctx context.Context) error {
	sql := `SELECT d.oid, pg_get_userbyid(d.defaclrole)::text AS role, coalesce(n.nspname::text, '') AS schema,
			CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
				WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' WHEN 'L' THEN 'large objects'
				ELSE d.defaclobjtype::text END AS type
		FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace`
	return load(ctx, c, "default privileges", sql, func(r defaultPrivilegeRow) {
		if c.skip("pg_default_acl", r.OID) {
			return
		}
		c.claim("pg_default_acl", r.OID, pgmodel.Ref{Kind: pgmodel.KindDefaultPrivilege, Schema: r.Schema, Name: r.Role})
		c.defaults = append(c.defaults, r)
	})
}

type databaseRow struct {
	OID                          uint32
	Owner, Encoding, Tablespace  string
	Provider, Collate, Ctype     string
	Locale, Rules, Version       string
	ConnectionLimit              int
	IsTemplate, AllowConnections bool
}

func (c *catalog) readDatabase(ctx context.Context) error {
	locale := c.since(170000, "d.datlocale", c.since(150000, "d.daticulocale", "NULL::text"))
	sql := fmt.Sprintf(`SELECT d.oid, pg_get_userbyid(d.datdba)::text AS owner, pg_encoding_to_char(d.encoding)::text AS encoding,
			t.spcname::text AS tablespace, %s AS provider, d.datcollate::text AS collate, d.datctype::text AS ctype,
			coalesce(%s, '') AS locale, coalesce(%s, '') AS rules, coalesce(%s, '') AS version,
			d.datconnlimit AS connection_limit, d.datistemplate AS is_template, d.datallowconn AS allow_connections
		FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = current_database()`,
		c.since(150000, "d.datlocprovider::text", "'c'"), locale, c.since(160000, "d.daticurules", "NULL::text"),
		c.since(150000, "d.datcollversion", "NULL::text"))
	err := load(ctx, c, "database", sql, c.takeDatabase)
	if err != nil {
		return err
	}
	return c.readSettings(ctx)
}

func (c *catalog) takeDatabase(r databaseRow) {
	providers := map[string]string{"c": "libc", "i": "icu", "b": "builtin"}
	provider, ok := providers[r.Provider]
	if !ok {
		c.refuse("locale provider", "", r.Provider)
	}
	c.database = pgmodel.Database{
		Owner: r.Owner, Encoding: r.Encoding,
		Locale: pgmodel.Locale{Provider: provider, Collate: r.Collate, Ctype: r.Ctype, Name: r.Locale,
			Rules: r.Rules, Version: r.Version},
		ConnectionLimit: r.ConnectionLimit, IsTemplate: r.IsTemplate, AllowConnections: r.AllowConnections,
		ACL: c.acl("pg_database", r.OID, 0), Comment: c.comment("pg_database", r.OID, 0),
	}
	if r.Tablespace != "pg_default" {
		c.note(pgmodel.Object{Kind: pgmodel.KindDatabase, Name: "itself"}, "its default tablespace %s is not carried", r.Tablespace)
	}
}

func (c *catalog) readSettings(ctx context.Context) error {
	sql := `SELECT coalesce(r.rolname::text, '') AS role, split_part(x.setting, '=', 1) AS name,
			substr(x.setting, strpos(x.setting, '=') + 1) AS value
		FROM pg_db_role_setting s CROSS JOIN LATERAL unnest(s.setconfig) x (setting)
		LEFT JOIN pg_roles r ON r.oid = s.setrole
		WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
		ORDER BY 1, 2`
	return load(ctx, c, "settings", sql, func(s pgmodel.Setting) {
		c.database.Settings = append(c.database.Settings, s)
	})
}
