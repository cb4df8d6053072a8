package pgmodel

import "testing"

func TestSplitFunction(t *testing.T) {
	const def = "CREATE OR REPLACE FUNCTION public.\"F (x\"(a integer DEFAULT 1)\n RETURNS integer\n LANGUAGE sql\nAS $function$ SELECT 1; $function$\n"
	got, err := SplitFunction(def, KindFunction, Name{"public", "F (x"})
	want := "(a integer DEFAULT 1)\n RETURNS integer\n LANGUAGE sql\nAS $function$ SELECT 1; $function$"
	if err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := SplitFunction(def, KindFunction, Name{"public", "other"}); err == nil {
		t.Error("took the definition of another function")
	}
	if _, err := SplitFunction(def, KindProcedure, Name{"public", "F (x"}); err == nil {
		t.Error("took a function for a procedure")
	}
}

func TestSplitIndex(t *testing.T) {
	for _, c := range []struct{ name, def, want string }{
		{"plain", `CREATE INDEX i ON public.t USING btree (a, b DESC)`, `btree (a, b DESC)`},
		{"named on", `CREATE UNIQUE INDEX "on" ON public.t USING btree (a)`, `btree (a)`},
		{"with parameters", `CREATE INDEX i ON public.t USING gin (a) WITH (fastupdate=off)`, `gin (a)`},
		{"with parameters and a condition", `CREATE INDEX i ON public.t USING btree (a) INCLUDE (b) WITH (fillfactor='70') WHERE (a > 1)`,
			`btree (a) INCLUDE (b) WHERE (a > 1)`},
		{"a condition that says with", `CREATE INDEX i ON public.t USING btree (a) WHERE (a < 'x'::timestamp with time zone)`,
			`btree (a) WHERE (a < 'x'::timestamp with time zone)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := SplitIndex(c.def, Name{"public", "t"}); err != nil || got != c.want {
				t.Errorf("got %q, %v", got, err)
			}
			if _, err := SplitIndex(c.def, Name{"public", "u"}); err == nil {
				t.Error("took the index of another table")
			}
		})
	}
}

func TestSplitTrigger(t *testing.T) {
	const def = `CREATE CONSTRAINT TRIGGER "on" AFTER UPDATE OF "ON", b ON public.t FROM public.u DEFERRABLE INITIALLY DEFERRED ` +
		`FOR EACH ROW WHEN ((old.a <> 'EXECUTE FUNCTION x()')) EXECUTE FUNCTION public.f('a', 'b')`
	var got Trigger
	if err := SplitTrigger(def, &got); err != nil {
		t.Fatal(err)
	}
	if got.Events != `AFTER UPDATE OF "ON", b` || !got.Constraint || got.Function != (Name{"public", "f"}) || got.Arguments != `'a', 'b'` ||
		got.Detail != `FROM public.u DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((old.a <> 'EXECUTE FUNCTION x()'))` {
		t.Errorf("got %+v", got)
	}
}

func TestSplitStatistics(t *testing.T) {
	got, err := SplitStatistics(`CREATE STATISTICS public.s (ndistinct) ON a, EXTRACT(year FROM b) FROM public.t`)
	if want := `(ndistinct) ON a, EXTRACT(year FROM b)`; err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{
		`CREATE OR REPLACE FUNCTION public.f() RETURNS integer LANGUAGE sql AS $$ SELECT 1 $$`,
		`CREATE INDEX i ON public.t USING btree (a) WITH (fillfactor='70') WHERE (a > 1)`,
		`CREATE TRIGGER a BEFORE UPDATE ON public.t FOR EACH ROW EXECUTE FUNCTION public.f()`,
		`CREATE STATISTICS public.s ON a, b FROM public.t`, ` SELECT 1;`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, s string) {
		var t Trigger
		_, _ = SplitFunction(s, KindFunction, Name{"public", "f"})
		_, _ = SplitIndex(s, Name{"public", "t"})
		_ = SplitTrigger(s, &t)
		_, _ = SplitStatistics(s)
		_, _ = SplitView(s)
	})
}
