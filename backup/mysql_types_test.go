package backup_test

import (
	"testing"

	"github.com/harbordb/harbordb/backup"
	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/internal/dbtest"
)

// everyType is one table of every type and every character set that is easy
// to get wrong, with values at the ends of what they hold.
const everyType = `
SET NAMES utf8mb4;
SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone = '+00:00';
CREATE TABLE numbers (
  id bigint unsigned AUTO_INCREMENT PRIMARY KEY, tiny tinyint, padded int(8) unsigned zerofill, big bigint, amount decimal(65,30),
  single float, cut float(7,4), wide double, fixed double(20,3), bits bit(1), manybits bit(64), flag bool NOT NULL
) ENGINE=InnoDB AUTO_INCREMENT=777;
INSERT INTO numbers VALUES
  (0, -128, 42, -9223372036854775808, -99999999999999999999999999999999999.999999999999999999999999999999, 3.4028234e38, 999.00009, 1.7976931348623157e308, 1234567890123456.789, b'0', b'1111111111111111111111111111111111111111111111111111111111111111', 2),
  (1, 127, 99999999, 9223372036854775807, 0, 1.17549435e-38, -0.0001, 4.9406564584124654e-324, -0.001, b'1', b'0', 1),
  (18446744073709551614, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0),
  (9, 0, 0, 0, 0.1, 0.1, 0.1, 0.1, 0.1, b'1', b'1010', 0), (10, 0, 0, 0, 0, 16777217, 16777.217, 0.30000000000000004, 3, b'0', b'1', 0),
  (11, 0, 0, 0, 0, -0e0, 1, -0e0, 1, b'0', b'1', 0);
CREATE TABLE times (id int PRIMARY KEY, d date, dt datetime, dt6 datetime(6), ts timestamp NULL, ts6 timestamp(6) NULL,
  t time, t6 time(6), y year, touched timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP) ENGINE=InnoDB;
INSERT INTO times VALUES
  (1, '0000-00-00', '0000-00-00 00:00:00', '0000-00-00 00:00:00.000000', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '-838:59:59', '838:59:58.999999', 0, '0000-00-00 00:00:00'),
  (2, '2018-02-31', '2018-00-00 12:00:00', '9999-12-31 23:59:59.999999', '1970-01-01 00:00:01', '2038-01-19 03:14:07.999999', '00:00:00', '-00:00:00.000001', 1901, '2018-03-25 01:30:00'),
  (3, '2000-02-29', '1000-01-01 00:00:00', '2018-10-28 02:30:00.123456', '2018-10-28 00:30:00', '2018-03-25 02:30:00.5', '12:34:56', '12:34:56.7', 2155, '2000-01-01 00:00:00'),
  (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2000-01-01 00:00:00');
CREATE TABLE letters (id int PRIMARY KEY, a varchar(200) CHARACTER SET utf8, b varchar(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  c varchar(200) CHARACTER SET latin1, d text CHARACTER SET sjis, e varchar(50) CHARACTER SET ucs2, f char(20) CHARACTER SET gbk,
  g enum('a','größe','x,y','it''s') CHARACTER SET utf8, h set('one','two','three') CHARACTER SET latin1, i longtext CHARACTER SET utf16,
  j varchar(20) CHARACTER SET cp1251) ENGINE=InnoDB;
INSERT INTO letters VALUES
  (1, 'größe 日本\0\t\n\r\\', '😀\0 emoji', 'naïve €\\', '表示ソ能\\', 'größe 日本', '中文\\', 'größe', 'one,three', '日本😀\n', 'привет'),
  (2, '', ' ', '  trailing  ', '', '', ' x', 'it''s', '', '', ''),
  (3, '\\N', 'NULL', '\\', '\\', '\\', '\\', 'x,y', 'two', '\\N', '\\.'),
  (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE octets (id binary(4) PRIMARY KEY, v varbinary(300), b blob, l longblob, g geometry, p point) ENGINE=InnoDB;
INSERT INTO octets VALUES (x'00000000', x'', x'', x'000102030405060708090a0d5c1a27ff', NULL, NULL),
  (x'fffe5c0a', repeat(x'5c09', 100), repeat(x'00', 1000), repeat(x'ff0a5c', 100000), GeomFromText('LINESTRING(0 0,1 1.5)'), GeomFromText('POINT(1e300 -0.1)')),
  ('ab', NULL, NULL, NULL, NULL, NULL);
CREATE TABLE ` + "`weird ``name``; -- x`" + ` (` + "`select`" + ` int, ` + "`a b'c\\\"d`" + ` varchar(10) DEFAULT 'a;b''c)' COMMENT 'x, (y) \\ ''z''',
  ` + "`größe`" + ` int DEFAULT NULL, UNIQUE KEY ` + "`uni,que (1)`" + ` (` + "`select`" + `), KEY k2 (` + "`a b'c\\\"d`" + `(3))) ENGINE=InnoDB COMMENT='it''s, AUTO_INCREMENT=5 (not)';
INSERT INTO ` + "`weird ``name``; -- x`" + ` VALUES (1, 'x', 2), (NULL, 'y', NULL), (NULL, DEFAULT, NULL);
CREATE TABLE second_auto (a int NOT NULL, b int NOT NULL AUTO_INCREMENT, c int, PRIMARY KEY (a, b), KEY (b), KEY (c)) ENGINE=InnoDB;
INSERT INTO second_auto (a, c) VALUES (1, 1), (1, 2), (2, 3);
CREATE TABLE nokey (a int NOT NULL, b text, UNIQUE KEY (a)) ENGINE=InnoDB ROW_FORMAT=COMPACT;
INSERT INTO nokey VALUES (1, repeat('long ', 10000)), (2, NULL);
CREATE TABLE tree (id int PRIMARY KEY, parent int, KEY (parent), CONSTRAINT up FOREIGN KEY (parent) REFERENCES tree (id) ON DELETE CASCADE ON UPDATE SET NULL) ENGINE=InnoDB;
INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 3);
CREATE TABLE empty_one (x int) ENGINE=InnoDB;
CREATE TABLE parted (id int NOT NULL, v varchar(10), PRIMARY KEY (id)) ENGINE=InnoDB PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE);
INSERT INTO parted VALUES (1, 'a'), (100, 'b')`

// onMariaDB is what MySQL 5.6 does not have.
const onMariaDB = `
CREATE TABLE made (id int PRIMARY KEY, a int, twice int AS (a * 2) VIRTUAL, thrice int AS (a * 3) PERSISTENT, j json, hidden int INVISIBLE DEFAULT 7,
  ip inet6, who uuid, CHECK (a < 100), t text DEFAULT 'x;y');
INSERT INTO made (id, a, j, ip, who) VALUES (1, 5, '{"a": "\\u0000 \\" é"}', '2001:db8::1', '123e4567-e89b-12d3-a456-426614174000'), (2, NULL, NULL, NULL, NULL);
SET check_constraint_checks = 0; INSERT INTO made (id, a) VALUES (3, 1000)`

// Values of every type come back exactly, by LOAD DATA and, where the server
// does not take that, by INSERT.
func TestMySQLRoundTripOfEveryType(t *testing.T) {
	for name, server := range mySQLServers(t) {
		t.Run(name, func(t *testing.T) {
			settings := filledMySQL(t, server, "1.1.0")
			server.Exec(t, settings.Database, everyType)
			if name == "MariaDB" {
				server.Exec(t, settings.Database, onMariaDB)
			}
			roundTripMySQL(t, server, settings)
			server.Exec(t, "", "SET GLOBAL local_infile = 0")
			defer server.Exec(t, "", "SET GLOBAL local_infile = 1")
			roundTripMySQL(t, server, settings)
		})
	}
}

// What a snapshot cannot carry is refused by name, or left out by name.
func TestMySQLUnsupportedObjectsAreRefusedByName(t *testing.T) {
	server := dbtest.MariaDB(t)
	settings := filledMySQL(t, server, "1.5.0")
	server.Exec(t, settings.Database, `
		CREATE TABLE old_engine (x int) ENGINE=MyISAM;
		CREATE VIEW on_old AS SELECT x FROM old_engine;
		CREATE PROCEDURE work() SELECT 1;
		CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO SELECT 1;
		CREATE SEQUENCE counter;
		CREATE TABLE versioned (x int) WITH SYSTEM VERSIONING;
		CREATE TRIGGER qualified AFTER INSERT ON project FOR EACH ROW SET @x = (SELECT count(*) FROM `+settings.Database+`.project)`)
	store := newStore(t)
	_, err := tryTake(t.Context(), open(t, settings), store, backup.Options{})
	requireRefused(t, err, "old_engine")
	requireEmptyStore(t, store.String())
	s := take(t, settings, store, backup.Options{LeaveOutUnsupported: true})
	if n := len(s.Manifest.Contents.Databases[0].LeftOut); n != 7 {
		t.Errorf("left out: %q", s.Manifest.Contents.Databases[0].LeftOut)
	}
	putBack(t, settings, s, target.Options{Mode: target.Keep, Name: spare(t, server, settings.Database+"_copy")})
}
