package snapshots

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Limits on what a manifest may claim, so that a hostile one costs no more
// than reading it.
const (
	maxManifest = 256 << 20 // bytes; a manifest of a million parts is about 100 MB
	maxObjects  = 4 << 20
)

// objectForm is what the name of an object may look like: one plain name, or
// one below data/. Neither "..", an absolute path nor a hidden file fits it.
var objectForm = regexp.MustCompile(`^(data/)?[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// ParseManifest decodes and validates a manifest. A newer format version is
// told before anything else is looked at.
func ParseManifest(data []byte) (*Manifest, error) {
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("manifest is not JSON: %w", err)
	}
	if head.Format > FormatVersion {
		return nil, &NewerFormatError{Format: head.Format}
	}
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if err := m.Validate(); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	return &m, nil
}

// NewerFormatError says that a snapshot was written by a later harbordb.
type NewerFormatError struct{ Format int }

func (e *NewerFormatError) Error() string {
	return fmt.Sprintf("snapshot has format %d, this harbordb reads up to %d", e.Format, FormatVersion)
}

// Validate checks that the manifest is consistent in itself. Writers and
// readers both call it.
func (m *Manifest) Validate() error {
	if m.Format < 1 {
		return fmt.Errorf("format %d is not known", m.Format)
	}
	if _, err := ParseID(string(m.ID)); err != nil {
		return err
	}
	if m.Source.Engine == "" || m.Source.Database == "" {
		return fmt.Errorf("source names no engine or no database")
	}
	objects, err := m.validateObjects()
	if err != nil {
		return err
	}
	if m.Encryption != nil {
		return m.validateSealed(objects)
	}
	if m.Contents == nil {
		return fmt.Errorf("manifest has no contents")
	}
	return m.Contents.validate(objects)
}

func (m *Manifest) validateObjects() (map[string]bool, error) {
	if len(m.Objects) > maxObjects {
		return nil, fmt.Errorf("%d objects are more than a snapshot can have", len(m.Objects))
	}
	names := make(map[string]bool, len(m.Objects))
	for i, o := range m.Objects {
		if !objectForm.MatchString(o.Name) || path.Clean(o.Name) != o.Name {
			return nil, fmt.Errorf("object name %q is not allowed", o.Name)
		}
		if o.Name == ManifestName || o.Name == SumsName {
			return nil, fmt.Errorf("object name %q is reserved", o.Name)
		}
		if i > 0 && o.Name <= m.Objects[i-1].Name {
			return nil, fmt.Errorf("objects are not in ascending order at %q", o.Name)
		}
		if o.Size < 0 {
			return nil, fmt.Errorf("object %s has the size %d", o.Name, o.Size)
		}
		if b, err := hex.DecodeString(o.SHA256); err != nil || len(b) != 32 || strings.ToLower(o.SHA256) != o.SHA256 {
			return nil, fmt.Errorf("object %s has no SHA-256", o.Name)
		}
		names[o.Name] = true
	}
	return names, nil
}

// validate checks that every object is used exactly once and that the parts
// of each table add up to it.
func (c *Contents) validate(objects map[string]bool) error {
	if len(c.Databases) == 0 {
		return fmt.Errorf("snapshot holds no database")
	}
	used := make(map[string]bool, len(objects))
	use := func(name string) error {
		if !objects[name] {
			return fmt.Errorf("object %q is used but not listed", name)
		}
		if used[name] {
			return fmt.Errorf("object %q is used twice", name)
		}
		used[name] = true
		return nil
	}
	seen := map[string]bool{}
	for i := range c.Databases {
		d := &c.Databases[i]
		if d.Name == "" || seen[d.Name] {
			return fmt.Errorf("database %q has no name or is listed twice", d.Name)
		}
		seen[d.Name] = true
		if err := d.validate(use); err != nil {
			return fmt.Errorf("database %q: %w", d.Name, err)
		}
	}
	for name := range objects {
		if !used[name] {
			return fmt.Errorf("object %q is listed but holds nothing", name)
		}
	}
	return nil
}

func (d *Database) validate(use func(string) error) error {
	for _, name := range []string{d.Model, d.Pre, d.Post} {
		if err := use(name); err != nil {
			return err
		}
	}
	seen := map[string]bool{}
	for i := range d.Tables {
		t := &d.Tables[i]
		key := t.Schema + "\x00" + t.Name
		if seen[key] {
			return fmt.Errorf("table %s is listed twice", t.FullName())
		}
		seen[key] = true
		if err := t.validate(use); err != nil {
			return fmt.Errorf("table %s: %w", t.FullName(), err)
		}
	}
	return nil
}

func (t *Table) validate(use func(string) error) error {
	if t.Name == "" {
		return fmt.Errorf("it has no name")
	}
	if slices.Contains(t.Columns, "") {
		return fmt.Errorf("a column has no name")
	}
	if _, err := ParseFingerprint(t.Fingerprint); err != nil {
		return err
	}
	var rows, bytes int64
	for _, p := range t.Parts {
		if p.Rows < 0 || p.Bytes < p.Rows || rows+p.Rows < rows || bytes+p.Bytes < bytes {
			return fmt.Errorf("part %s claims %d rows in %d bytes", p.Object, p.Rows, p.Bytes)
		}
		if err := use(p.Object); err != nil {
			return err
		}
		rows += p.Rows
		bytes += p.Bytes
	}
	if rows != t.Rows || bytes != t.Bytes {
		return fmt.Errorf("its parts have %d rows in %d bytes, not %d in %d", rows, bytes, t.Rows, t.Bytes)
	}
	if t.Skipped && len(t.Parts) > 0 {
		return fmt.Errorf("its rows were left out, yet it has parts")
	}
	return nil
}

// FullName returns schema.name for people.
func (t *Table) FullName() string {
	if t.Schema == "" {
		return t.Name
	}
	return t.Schema + "." + t.Name
}
