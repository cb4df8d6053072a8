package snapshots

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"filippo.io/age"

	"github.com/harbordb/harbordb/internal/fault"
)

const (
	ageScheme = "age"
	// sealedSuffix ends the name of an encrypted object. The contents use
	// the name without it, so that a folder whose objects were decrypted by
	// hand looks like any other.
	sealedSuffix = ".age"
)

// maxKeyFile bounds the size of a file with keys.
const maxKeyFile = 1 << 20

// Recipient is a public key that a snapshot is encrypted to.
type Recipient struct {
	key  age.Recipient
	name string
}

// String returns the public key.
func (r Recipient) String() string { return r.name }

// ParseRecipients reads public keys, age1…, one a line, as age does; empty
// lines and lines that begin with # are ignored. A key that is there twice
// counts once. Keys of plugins and of SSH are refused.
func ParseRecipients(text string) ([]Recipient, error) {
	keys, err := age.ParseRecipients(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read recipients: %w", err)
	}
	var list []Recipient
	for _, key := range keys {
		r := Recipient{key: key, name: fmt.Sprint(key)}
		if !slices.ContainsFunc(list, func(o Recipient) bool { return o.name == r.name }) {
			list = append(list, r)
		}
	}
	// Keys that cannot be combined are told here, not in the middle of a backup.
	if _, err := age.Encrypt(io.Discard, ageKeys(list)...); err != nil {
		return nil, fmt.Errorf("recipients: %w", err)
	}
	return list, nil
}

func ageKeys(list []Recipient) []age.Recipient {
	keys := make([]age.Recipient, len(list))
	for i, r := range list {
		keys[i] = r.key
	}
	return keys
}

// ParseIdentities reads private keys, AGE-SECRET-KEY-1…, one a line, as
// age-keygen writes them. Its errors never show a key.
func ParseIdentities(r io.Reader) ([]age.Identity, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxKeyFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read identities: %w", err)
	case len(data) > maxKeyFile:
		return nil, fmt.Errorf("identities are larger than %d bytes", maxKeyFile)
	case bytes.HasPrefix(data, []byte("age-encryption.org/")) || bytes.HasPrefix(data, []byte("-----BEGIN AGE ENCRYPTED")):
		return nil, fmt.Errorf("the identities are encrypted themselves; age -d decrypts them")
	}
	keys, err := age.ParseIdentities(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read identities: %w", err)
	}
	return keys, nil
}

// storedName returns the name under which an object is stored that the
// contents know by name.
func (m *Manifest) storedName(name string) string {
	if m.Encryption != nil {
		return name + sealedSuffix
	}
	return name
}

// validateSealed checks what can be checked of an encrypted snapshot without
// a key.
func (m *Manifest) validateSealed(objects map[string]bool) error {
	if m.Contents != nil {
		return fmt.Errorf("snapshot is encrypted, yet its contents are in clear")
	}
	if m.Encryption.Scheme != ageScheme {
		return fmt.Errorf("encryption %q is not known", m.Encryption.Scheme)
	}
	for name := range objects {
		if !strings.HasSuffix(name, sealedSuffix) {
			return fmt.Errorf("snapshot is encrypted, yet object %q is in clear", name)
		}
	}
	if !objects[ContentsName+sealedSuffix] {
		return fmt.Errorf("snapshot is encrypted and has no %s%s", ContentsName, sealedSuffix)
	}
	return nil
}

// unlock decrypts the contents of an encrypted snapshot with the keys that it
// was opened with. A key that does not fit is a fault of kind Refused.
func (s *Snapshot) unlock(ctx context.Context) error {
	m := s.Manifest
	if len(s.keys) == 0 {
		return s.locked("snapshot %s is encrypted")
	}
	// Where the bytes are not those that were written, no key fits, but the
	// error says that.
	data, err := s.Object(ctx, ContentsName)
	if none := (*age.NoIdentityMatchError)(nil); errors.As(err, &none) {
		return s.locked("snapshot %s is encrypted, and not to the identity given")
	}
	if err != nil {
		return err
	}
	contents, err := parseContents(data, m)
	if err != nil {
		return fmt.Errorf("snapshot %s: %w: %s: %w", m.ID, ErrCorrupt, ContentsName, err)
	}
	m.Contents = contents
	return nil
}

func (s *Snapshot) locked(format string) error {
	return fault.Refusedf(format, s.Manifest.ID).
		WithHint("--identity FILE names the private key of %s", strings.Join(s.Manifest.Encryption.Recipients, " or "))
}

func parseContents(data []byte, m *Manifest) (*Contents, error) {
	var c Contents
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, err
	}
	objects := map[string]bool{}
	for _, o := range m.Objects {
		if name := strings.TrimSuffix(o.Name, sealedSuffix); name != ContentsName {
			objects[name] = true
		}
	}
	return &c, c.validate(objects)
}

// seal takes the contents out of a manifest that is about to be written and
// stores them as an object of their own.
func (w *Writer) seal(ctx context.Context, m *Manifest) error {
	data, err := encode(m.Contents)
	if err != nil {
		return err
	}
	if err := w.Put(ctx, ContentsName, data); err != nil {
		return err
	}
	m.Encryption = &Encryption{Scheme: ageScheme}
	for _, r := range w.to {
		m.Encryption.Recipients = append(m.Encryption.Recipients, r.name)
	}
	return nil
}
