package pgmodel

// Target is the server, the database and the rights that a script is
// rendered for. A nil list means that it is not known, and that nothing is
// checked against it.
type Target struct {
	Major    int    // 9 for 9.6, 15 for 15.18
	Database string // the database to create and fill
	// User is the role that runs the script.
	User      string
	Superuser bool
	// Owner, if not empty, owns everything instead of the owners in the model.
	Owner string
	// Roles are the roles that exist; Owners those of them that User may give
	// objects to (for a superuser all of them).
	Roles  []string
	Owners []string
	// Locales are the locales of the C library that the server knows, as
	// pg_collation names them; Collations the collations of every provider.
	Locales    []string
	Collations []Name
	// ICU: the server was built with it.
	ICU bool
	// Collate and Ctype are those of template0, which always work.
	Collate, Ctype string
	// Extensions are the extensions that can be created, with their versions.
	Extensions map[string][]string
}
