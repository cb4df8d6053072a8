package target_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/internal/fault"
)

func at(second int) time.Time { return time.Date(2026, 11, 21, 2, 30, second, 0, time.UTC) }

// made is what restores have left on a server with two Harbors.
var made = []target.Beside{
	{Name: "registry_1", Of: "registry", Kind: target.SetAside, Time: at(1)},
	{Name: "signer_1", Of: "signer", Kind: target.SetAside, Time: at(1)},
	{Name: "other_2", Of: "other", Kind: target.SetAside, Time: at(2)},
	{Name: "signer_3", Of: "signer", Kind: target.SetAside, Time: at(3)},
	{Name: "server_4", Of: "server", Kind: target.SetAside, Time: at(4)},
	{Name: "registry_4", Of: "registry", Kind: target.SetAside, Time: at(4)},
	{Name: "passed_8", Of: "passed", Kind: target.SetAside, Time: at(8)},
	{Name: "late_8", Of: "late", Kind: target.SetAside, Time: at(8)},
	{Name: "late_9", Of: "late", Kind: target.SetAside, Time: at(9)},
	{Name: "registry_5", Of: "registry", Kind: target.Loaded, Time: at(5)},
	{Name: "registry_6", Of: "registry", Kind: target.Dead, Time: at(6)},
	{Name: "registry_7", Of: "registry", Kind: target.Loading, Time: at(7)},
}

func beside(_ context.Context, database string) ([]target.Beside, error) {
	return target.Concerning(made, database), nil
}

func names(list []target.Beside) []string {
	var names []string
	for _, b := range list {
		names = append(names, b.Name)
	}
	return names
}

func TestConcerning(t *testing.T) {
	want := []string{"registry_1", "signer_1", "registry_4", "server_4", "registry_5", "registry_6", "registry_7"}
	if got := names(target.Concerning(made, "registry")); !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
	if got := target.Concerning(made, "nothing"); got == nil || len(got) > 0 {
		t.Errorf("beside nothing: %v", got)
	}
}

func TestChoose(t *testing.T) {
	for name, test := range map[string]struct {
		of, chosen string
		only       []string
		want       []string
		kind       fault.Kind
	}{
		"the only one":                                   {of: "other", want: []string{"other_2"}},
		"one of several restores":                        {of: "registry", kind: fault.Usage},
		"a name stands for what was set aside with it":   {of: "registry", chosen: "registry_4", want: []string{"registry_4", "server_4"}},
		"a companion's for itself":                       {of: "registry", chosen: "server_4", want: []string{"server_4"}},
		"what is loaded and waits":                       {of: "registry", chosen: "registry_5", want: []string{"registry_5"}},
		"only the database itself":                       {of: "registry", chosen: "registry_4", only: []string{"registry"}, want: []string{"registry_4"}},
		"only a companion":                               {of: "server", only: []string{"server"}, want: []string{"server_4"}},
		"what a killed restore left":                     {of: "registry", chosen: "registry_6", kind: fault.Usage},
		"what is being loaded":                           {of: "registry", chosen: "registry_7", kind: fault.Usage},
		"another Harbor's":                               {of: "registry", chosen: "other_2", kind: fault.Usage},
		"nothing was set aside":                          {of: "nothing", kind: fault.Refused},
		"nothing was set aside of the one that is named": {of: "nothing", chosen: "x", kind: fault.Refused},
	} {
		got, err := target.Choose(target.Concerning(made, test.of), test.of, test.chosen, test.only...)
		if !slices.Equal(names(got), test.want) || (err != nil) != (test.kind != 0) || err != nil && fault.KindOf(err) != test.kind {
			t.Errorf("%s: %v, %v", name, names(got), err)
		}
	}
}

func TestLastSetAside(t *testing.T) {
	for name, test := range map[string]struct {
		of   string
		only []string
		want []string
		fits bool
	}{
		"with its companions":              {of: "registry", want: []string{"registry_4", "server_4"}, fits: true},
		"without":                          {of: "registry", only: []string{"registry"}, want: []string{"registry_4"}, fits: true},
		"a companion alone":                {of: "server", only: []string{"server"}, want: []string{"server_4"}, fits: true},
		"of another restore than the last": {of: "registry", only: []string{"registry", "signer"}},
		"of nothing":                       {of: "nothing"},
		"that a later restore of a companion has passed": {of: "passed"},
		"without that companion":                         {of: "passed", only: []string{"passed"}, want: []string{"passed_8"}, fits: true},
	} {
		got, err := target.LastSetAside(t.Context(), beside, test.of, test.only...)
		if !slices.Equal(names(got), test.want) || (err == nil) != test.fits || err != nil && fault.KindOf(err) != fault.Refused {
			t.Errorf("%s: %v, %v", name, names(got), err)
		}
	}
}
