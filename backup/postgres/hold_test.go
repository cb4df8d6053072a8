package postgres

import "testing"

// Databases show one moment where the same transactions run in all of them,
// and only if the server can tell.
func TestOneMoment(t *testing.T) {
	for name, test := range map[string]struct {
		running    []string
		one, apart bool
	}{
		"one database":                    {[]string{"10:12:10"}, true, false},
		"one database in recovery":        {[]string{""}, true, false},
		"two at the same moment":          {[]string{"10:12:10", "10:12:10"}, true, false},
		"a transaction ended in between":  {[]string{"10:12:10", "12:12:"}, false, true},
		"the third is late":               {[]string{"10:12:10", "10:12:10", "10:13:10"}, false, true},
		"two in recovery: nobody can say": {[]string{"", ""}, false, false},
	} {
		var all holds
		for _, running := range test.running {
			all = append(all, &hold{running: running})
		}
		if all.oneMoment() != test.one || all.apart() != test.apart {
			t.Errorf("%s: one moment %v, apart %v", name, all.oneMoment(), all.apart())
		}
	}
}
