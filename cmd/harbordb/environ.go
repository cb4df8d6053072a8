package main

import "strings"

// environ is the environment of one invocation, read once in main.
type environ map[string]string

// newEnviron reads pairs in the form of os.Environ.
func newEnviron(pairs []string) environ {
	env := make(environ, len(pairs))
	for _, pair := range pairs {
		if name, value, ok := strings.Cut(pair, "="); ok {
			env[name] = value
		}
	}
	return env
}

// get returns the value of a variable, or the empty string.
func (e environ) get(name string) string { return e[name] }

// first returns the first of several variables that has a value.
func (e environ) first(names ...string) string {
	for _, name := range names {
		if value := e.get(name); value != "" {
			return value
		}
	}
	return ""
}

// flagVariable names the environment variable of a flag: HARBORDB_LOCK_TIMEOUT
// for --lock-timeout.
func flagVariable(flag string) string {
	return "HARBORDB_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}
