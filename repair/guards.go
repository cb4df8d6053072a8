package repair

// guardsOf are the conditions that every change of a kind has, its undo too.
func guardsOf(k Kind) []guard {
	return kindGuards[k]
}

var kindGuards = map[Kind][]guard{}
