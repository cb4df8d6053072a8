package harborsql

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// hugeSize is the size in bytes of the one long value in each table that can
// hold it.
const hugeSize = 1 << 20

// indexedLength bounds what is put into an index; btree takes 2,704 bytes.
const indexedLength = 100

// texts are values that a careless copy of a database gets wrong. All are
// valid UTF-8 without NUL.
var texts = []string{
	"",
	" ",
	"NULL",
	"null",
	`\N`,
	`\.`,
	`\`,
	`\\`,
	`\n\t\r\b\x00\101`,
	"tab\there",
	"line\nbreak",
	"carriage\rreturn",
	"both\r\nof them\r\n",
	"\n",
	`\.` + "\n" + `\N` + "\t" + `\N`,
	"it's 'quoted'",
	`say "hello"`,
	"$$; DROP TABLE project; -- $1 ? :name %s",
	"/* */ `backtick` {{template}}",
	"control \x01\x02\x1b\x7f characters",
	"substitute \x1a end",
	" leading and trailing ",
	"Größe, naïve, Ελληνικά, 日本語",
	"e\u0301 is not \u00e9",
	"\u202eright to left\u202c \u200b\ufeff",
	"highest \U0010ffff, replaced \ufffd",
	"emoji 😀👩‍👩‍👧‍👦🏴‍☠️",
	"last,one;with|separators",
}

var timestamps = []string{
	"0001-01-01 00:00:00",
	"0044-03-15 12:00:00 BC",
	"4713-01-01 00:00:00 BC",
	"infinity",
	"-infinity",
	"294276-12-31 23:59:59.999999",
	"1970-01-01 00:00:00",
	"2000-02-29 23:59:59.000001",
	"2024-03-31 02:30:00.123456",
	"2021-06-15 08:00:00.1",
}

var times = []string{"00:00:00", "24:00:00", "23:59:59.999999", "12:34:56.7"}

var floats = []string{
	"NaN", "Infinity", "-Infinity", "-0", "0", "0.1", "0.30000000000000004", "4.9406564584124654e-324",
	"1.7976931348623157e+308", "-2.2250738585072014e-308", "9.8", "123456789.123456789",
}

var booleans = []string{"true", "false"}

// documents are valid as json and as jsonb. What jsonb does not keep (spaces,
// order, duplicate keys) json has to.
var documents = []string{
	`{}`,
	`[]`,
	`null`,
	`"text"`,
	`{ "b" : 1 ,  "a":2,"b"  : 3 }`,
	"{\n\t\"tab\":\t\"line\"\r\n}",
	`{"key":"value","":"empty key","ключ":"значение","😀":"\ud83d\ude00"}`,
	`{"escapes":"\"\\\/\b\f\n\r\t\u00e9\u000b"}`,
	`[1.0, 1.00, 1e2, 1E+2, -0, 12345678901234567890123456789.0123456789]`,
	`{"report_uuids":["8a7b","\\N","\\."],"nested":{"deep":[[[[{"x":null}]]]]}}`,
	`  {"leading": "and trailing"}  `,
}

// jsonOnly are valid as json but not as jsonb.
var jsonOnly = []string{
	`{"nul":"\u0000","half":"\ud83d"}`,
	`["\u0000"]`,
}

var byteStrings = []string{`\x`, `\x00`, `\xff`, `\x5c4e0a5c2e0a`, `\x0001020304050607080910`, `\xdeadbeef`}

// integers returns what a signed integer of that many bits may be, but not the
// small ones that seed rows have as their ids. The highest and the lowest come
// first.
func integers(bits int) []string {
	return []string{
		fmt.Sprint(int64(1)<<(bits-1) - 1),
		fmt.Sprint(-int64(1) << (bits - 1)),
		"0",
		"-1",
		"42",
	}
}

// cut returns the first runes of s, at most limit; 0 means all.
func cut(s string, limit int) string {
	if limit == 0 || utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit])
}

// hugeText is about hugeSize bytes that need escapes.
func hugeText() string {
	const piece = "a long line with a tab\tand a \\ backslash, 日本\n"
	return strings.Repeat(piece, hugeSize/len(piece))
}

// hugeDocument is a JSON document of hugeSize bytes.
func hugeDocument() string {
	return `{"huge": "` + strings.Repeat("0123456789abcdef", hugeSize/16) + `"}`
}
