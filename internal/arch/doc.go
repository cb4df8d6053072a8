// Package arch holds the rules of the house as tests: who may import whom, how
// large a file may grow, what code below cmd must leave alone.
//
// The rules are the tables in rules_test.go; a rule that has to give way is
// changed there, with its reason, and nowhere else. The package has no code
// of its own and must never be imported.
package arch
