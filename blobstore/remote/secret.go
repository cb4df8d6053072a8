package remote

import "strings"

// Secret is a value that cannot print itself.
type Secret string

// String returns a placeholder; convert to string where the value is needed.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "********"
}

// GoString is String, so that %#v does not reveal the value either.
func (s Secret) GoString() string { return s.String() }

// MarshalText is String, so that no encoder reveals the value.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Redact takes secrets out of a text that a server wrote. Those of three
// letters and fewer stay: they are no secrets, and stand in every other word.
func Redact(text string, secrets ...Secret) string {
	for _, s := range secrets {
		if len(s) > 3 {
			text = strings.ReplaceAll(text, string(s), s.String())
		}
	}
	return text
}
