package mymodel

import (
	"slices"
	"strings"
	"testing"
)

// sample is a model with everything in it.
func sample() *Model {
	return &Model{
		Format: FormatVersion, Server: Server{Product: "MariaDB", Version: "10.11.19-MariaDB", Number: 101119},
		SQLMode: "STRICT_ALL_TABLES", Database: Database{Charset: "utf8mb3", Collation: "utf8mb3_general_ci"},
		Tables: []Table{
			{Name: "a`b", PrimaryKey: []string{"id"}, ForeignKeys: []ForeignKey{{Name: "up", Columns: []string{"parent"}, Table: "a`b", References: []string{"id"}}},
				Create: "CREATE TABLE `a``b` (\n  `id` int(11) NOT NULL AUTO_INCREMENT COMMENT 'KEY `x`, (y) \\' utf8mb3',\n  `parent` int(11) DEFAULT NULL,\n" +
					"  PRIMARY KEY (`id`),\n  UNIQUE KEY `u,)` (`parent`,`id`),\n  KEY `parent` (`parent`),\n" +
					"  CONSTRAINT `up` FOREIGN KEY (`parent`) REFERENCES `a``b` (`id`)\n) ENGINE=InnoDB AUTO_INCREMENT=42 DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci COMMENT='AUTO_INCREMENT=7'",
				Columns: []Column{{Name: "id", Type: "int(11)"}, {Name: "parent", Type: "int(11)", Nullable: true}}},
		},
		Views: []View{{Name: "v", Columns: []string{"id"}, Session: Session{Charset: "utf8mb4", Collation: "utf8mb4_general_ci"},
			Create: "CREATE ALGORITHM=UNDEFINED DEFINER=`root`@`localhost` SQL SECURITY DEFINER VIEW `v` AS select `a``b`.`id` AS `id` from `a``b`"}},
		Triggers: []Trigger{{Name: "t", Table: "a`b", SQLMode: "ANSI_QUOTES", Session: Session{Charset: "utf8mb4", Collation: "utf8mb4_general_ci", Database: "latin1_swedish_ci"},
			Create: "CREATE DEFINER=`root`@`localhost` TRIGGER t BEFORE INSERT ON `a``b` FOR EACH ROW BEGIN SET @x = '$$'; SET @y = 2; END"}},
	}
}

func TestRenderPartsKeysFromTables(t *testing.T) {
	s, err := sample().Render(Target{Product: "MySQL", Number: 50624})
	if err != nil {
		t.Fatal(err)
	}
	step := s.Tables[0]
	for _, want := range []string{"`id` int(11) NOT NULL AUTO_INCREMENT COMMENT 'KEY `x`, (y) \\' utf8mb3'", "PRIMARY KEY (`id`)\n)", "DEFAULT CHARSET=utf8 COLLATE=utf8_general_ci", "AUTO_INCREMENT=42"} {
		if !strings.Contains(step.Create, want) {
			t.Errorf("%q is not in\n%s", want, step.Create)
		}
	}
	if want := "ALTER TABLE `a``b`\n  ADD UNIQUE KEY `u,)` (`parent`,`id`),\n  ADD KEY `parent` (`parent`)"; step.Keys != want {
		t.Errorf("keys: %s", step.Keys)
	}
	if want := "ALTER TABLE `a``b`\n  ADD CONSTRAINT `up` FOREIGN KEY (`parent`) REFERENCES `a``b` (`id`)"; step.Foreign != want {
		t.Errorf("foreign keys: %s", step.Foreign)
	}
}

func TestRenderSQLEndsTriggersWithWhatTheyDoNotHold(t *testing.T) {
	_, post, err := RenderSQL(sample())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(post, "ALTER DATABASE COLLATE latin1_swedish_ci;") || !strings.Contains(post, "END\n$$$\nDELIMITER ;") {
		t.Error(post)
	}
}

func TestJSONRoundTrip(t *testing.T) {
	data, err := Encode(sample())
	if err != nil {
		t.Fatal(err)
	}
	m, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if d := Diff(sample(), m); len(d) > 0 {
		t.Error(d)
	}
	for name, bad := range map[string]string{
		"newer format":  strings.Replace(string(data), `"format": 1`, `"format": 2`, 1),
		"unknown field": strings.Replace(string(data), `"format": 1`, `"format": 1, "x": 1`, 1),
		"more after it": string(data) + "{}",
	} {
		if _, err := Decode([]byte(bad)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A snapshot may come from anywhere: a model that would do more than make its
// objects is refused.
func TestValidateRefusesMoreThanDefinitions(t *testing.T) {
	for name, spoil := range map[string]func(*Model){
		"a second statement":          func(m *Model) { m.Tables[0].Create += "; DROP TABLE x" },
		"a command of the client":     func(m *Model) { m.Tables[0].Create += " \\! id" },
		"a comment to the end":        func(m *Model) { m.Tables[0].Create += " -- x" },
		"another table":               func(m *Model) { m.Tables[0].Name = "other" },
		"a view that is a table":      func(m *Model) { m.Views[0].Create = "CREATE TABLE `v` AS select 1" },
		"a view of another name":      func(m *Model) { m.Views[0].Name = "w" },
		"a trigger that is none":      func(m *Model) { m.Triggers[0].Create = "DROP DATABASE x" },
		"a trigger without its table": func(m *Model) { m.Triggers[0].Table = "none" },
		"a mode that is SQL":          func(m *Model) { m.Triggers[0].SQLMode = "'; DROP" },
		"a collation that is SQL":     func(m *Model) { m.Triggers[0].Session.Database = "x; DROP TABLE y" },
		"a character set that is SQL": func(m *Model) { m.Database.Charset = "utf8;" },
		"an unclosed quote":           func(m *Model) { m.Tables[0].Create += " COMMENT='" },
		"an unknown form":             func(m *Model) { m.Tables[0].Columns[0].Form = "x" },
		"letters it would misread":    func(m *Model) { m.Views[0].Session.Charset = "latin1"; m.Views[0].Create += " where 'é'" },
		"what cannot be carried":      func(m *Model) { m.Unsupported = []Object{{Kind: KindEvent, Name: "e"}} },
	} {
		m := sample()
		spoil(m)
		if m.Validate() == nil {
			t.Errorf("%s is not refused", name)
		}
	}
}

func TestCompareLetsCountersGrowAndServersSpeak(t *testing.T) {
	want, got := sample(), sample()
	got.Tables[0].Create = strings.Replace(got.Tables[0].Create, "AUTO_INCREMENT=42", "AUTO_INCREMENT=50", 1)
	if d := Compare(want, got); len(d) > 0 {
		t.Error(d)
	}
	if d := Diff(want, got); len(d) != 1 {
		t.Error(d)
	}
	if d := Compare(got, want); len(d) != 1 {
		t.Error(d)
	}
	got.Server = Server{Product: "MySQL", Number: 50624}
	got.Tables[0].Create = strings.ReplaceAll(got.Tables[0].Create, "utf8mb3", "utf8")
	if d := Compare(want, got); len(d) > 0 {
		t.Error(d)
	}
	got.Tables[0].Columns[1].Type = "bigint(20)"
	if d := Compare(want, got); len(d) != 1 {
		t.Error(d)
	}
}

func TestLeaveOutTakesWhatDepends(t *testing.T) {
	m := sample()
	m.Unsupported = []Object{{Kind: KindColumn, Name: "a`b.id", Reason: "type x"}}
	left := m.LeaveOut()
	names := []string{}
	for _, o := range left {
		names = append(names, string(o.Kind))
	}
	if !slices.Equal(names, []string{"column", "view"}) || len(m.Tables)+len(m.Views)+len(m.Triggers) > 0 {
		t.Errorf("%v, %v", left, m)
	}
}

// Whatever a table's statement is, taking it apart and putting it together
// again changes nothing but white space between its items.
func FuzzSplitTable(f *testing.F) {
	f.Add(sample().Tables[0].Create)
	f.Add("CREATE TABLE `a``b` (`x` enum('a,b','c''d','e\\'f)') DEFAULT 'a,b')")
	f.Fuzz(func(t *testing.T, create string) {
		s, err := splitTable("a`b", create)
		if err != nil {
			return
		}
		again, err := splitTable("a`b", s.join("a`b"))
		if err != nil || !slices.Equal(s.items, again.items) || s.options != again.options {
			t.Errorf("%q: %v\n%q\n%q", create, err, s, again)
		}
	})
}
