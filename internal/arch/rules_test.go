package arch

const module = "github.com/harbordb/harbordb/"

// mayImport is every arrow between packages. A sub-package follows its parent,
// and a parent may import its own sub-packages. Only tests may import more:
// see testSupport.
var mayImport = map[string][]string{
	"harbor":    {"database", "blobstore"},
	"schema":    {"database"},
	"repair":    {"database", "schema", "blobstore"},
	"backup":    {"database", "snapshots", "schema"},
	"snapshots": {"blobstore"},
	"orphans":   {"registry", "database"},
	"registry":  {"blobstore"},
	"doctor":    {"schema", "repair", "snapshots", "database"},
	"database":  {},
	"blobstore": {},

	// Leaves that every package may import.
	"internal/fault":    {},
	"internal/progress": {},

	// Files that a person named.
	"internal/atomicfile": {},
	"internal/textfile":   {"internal/atomicfile"},

	// The wiring; nothing may import it.
	"cmd/harbordb": {
		"harbor", "schema", "repair", "backup", "snapshots", "orphans",
		"registry", "doctor", "database", "blobstore", "internal/atomicfile", "internal/textfile",
	},

	// Test support may use what it tests with.
	"internal/canary":       {},
	"internal/dbtest":       {"database", "internal/canary", "testdata/sql"},
	"internal/registrytest": {"blobstore", "database", "registry", "internal/canary", "internal/dbtest", "testdata/sql"},
	"internal/arch":         {},
	"testdata/sql":          {"database", "schema"},
	"scripts/gotest":        {"internal/canary"},
	"scripts/image":         {},
	"scripts/man":           {},
	"deploy":                {},
	"scripts/core":          {"schema", "testdata/sql"},
}

// leaves may be imported by every package.
var leaves = []string{"internal/fault", "internal/progress"}

// testSupport may be imported by tests and by each other, never by what is
// linked into the program.
var testSupport = []string{"internal/canary", "internal/dbtest", "internal/registrytest", "testdata/sql"}

// entryPoints may do what libraries must not: print, exit, read the
// environment and the clock.
var entryPoints = []string{"cmd/harbordb", "scripts/gotest", "scripts/core", "scripts/image", "scripts/man"}

// Sizes, in lines. Tests are free of them.
const (
	maxFileLines     = 500
	maxFunctionLines = 80
)

// longFunctions may exceed maxFunctionLines: they are tables of data or flags.
var longFunctions = map[string]string{}

// vagueNames are package names that say nothing about what is inside.
var vagueNames = []string{"util", "utils", "common", "helpers", "misc", "types", "models", "base"}

// forbidden are the identifiers of the standard library that code below cmd
// must not use, and why. test says whether tests must not, either.
var forbidden = []struct {
	pkg   string
	names []string
	why   string
	where scope
}{
	{"os", []string{"Exit"}, "only main ends the process", libraries},
	{"log", []string{"*"}, "a library returns errors; progress goes to a progress.Reporter", libraries},
	{"log/slog", []string{"*"}, "a library returns errors; progress goes to a progress.Reporter", libraries},
	{"fmt", []string{"Print", "Printf", "Println"}, "only cmd prints", libraries},
	{"os", []string{"Stdin", "Stdout", "Stderr"}, "only cmd talks to a terminal", libraries},
	{"os", []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv", "Setenv"}, "settings come as values", libraries},
	{"os", []string{"Chdir"}, "the working directory belongs to the process", libraries},
	{"time", []string{"Now", "Since", "Until"}, "the time comes as a value or a func() time.Time", libraries},
	{"time", []string{"Sleep"}, "wait for what happens, with a bound, or for a timer and a context", libraries | tests},
	{"flag", []string{"*"}, "flags belong to cmd", libraries},
}

// allowed are exceptions to forbidden: package and identifier, with a reason.
var allowed = map[string]string{
	"database time.Now": "an error message says whether a certificate has expired; the handshake has decided, by the same clock",
}

// skips are the methods of testing.TB that no test may call: a test runs or
// fails.
var skips = []string{"Skip", "Skipf", "SkipNow"}

// unfinished are the words that mark work left undone. They are put together
// here so that this file does not hold them itself.
var unfinished = []string{"TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"}

// scope is a set of kinds of files.
type scope int

const (
	libraries scope = 1 << iota // non-test files of packages that are no entry point and no test support
	tests                       // test files, and the files of test support
)
