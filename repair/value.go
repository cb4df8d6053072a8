package repair

import (
	"database/sql"
	"database/sql/driver"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Value is one column of one row, as the server prints it in a session with
// pinned settings. The zero Value is NULL. Values compare with ==.
type Value struct {
	text string
	set  bool
}

var (
	_ sql.Scanner   = (*Value)(nil)
	_ driver.Valuer = Value{}
)

// Text returns the value that prints as s.
func Text(s string) Value { return Value{text: s, set: true} }

// IsNull reports whether the value is NULL.
func (v Value) IsNull() bool { return !v.set }

// String is the value for people; NULL is NULL.
func (v Value) String() string {
	if !v.set {
		return "NULL"
	}
	return v.text
}

// Scan takes a column that was cast to text.
func (v *Value) Scan(src any) error {
	switch s := src.(type) {
	case nil:
		*v = Value{}
	case string:
		*v = Text(s)
	case []byte:
		*v = Text(string(s))
	default:
		return fmt.Errorf("column of Go type %T was not cast to text", src)
	}
	return nil
}

// Value is the parameter of a statement that casts it back.
func (v Value) Value() (driver.Value, error) {
	if !v.set {
		return nil, nil
	}
	return v.text, nil
}

// binary carries text that is not UTF-8, which a database with the encoding
// SQL_ASCII may hold: JSON would replace its bytes without a word.
type binary struct {
	Base64 string `json:"base64"`
}

// MarshalJSON writes null, a string, or {"base64": …} for what is not UTF-8.
func (v Value) MarshalJSON() ([]byte, error) { return v.appendJSON(nil) }

// appendJSON is MarshalJSON into a buffer. A journal is made of little else,
// and most values need no escapes.
func (v Value) appendJSON(b []byte) ([]byte, error) {
	if !v.set {
		return append(b, "null"...), nil
	}
	if strings.IndexFunc(v.text, escaped) < 0 {
		b = append(b, '"')
		b = append(b, v.text...)
		return append(b, '"'), nil
	}
	var text []byte
	var err error
	if utf8.ValidString(v.text) {
		text, err = json.Marshal(v.text)
	} else {
		text, err = json.Marshal(binary{base64.StdEncoding.EncodeToString([]byte(v.text))})
	}
	return append(b, text...), err
}

// escaped reports whether a character does not stand for itself in JSON, or
// may be a byte that is no character.
func escaped(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }

// UnmarshalJSON reads what MarshalJSON wrote.
func (v *Value) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case 'n':
		*v = Value{}
		return nil
	case '"':
		v.set = true
		return json.Unmarshal(data, &v.text)
	}
	var b binary
	if err := json.Unmarshal(data, &b); err != nil {
		return err
	}
	raw, err := base64.StdEncoding.DecodeString(b.Base64)
	if err != nil {
		return fmt.Errorf("value in base64: %w", err)
	}
	*v = Text(string(raw))
	return nil
}
