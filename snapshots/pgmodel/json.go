package pgmodel

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// MaxSize is the largest JSON form that Decode reads, in bytes. A Harbor
// database's has 150 kB.
const MaxSize = 64 << 20

// Encode returns the JSON form of a valid model. Equal models have equal
// forms.
func Encode(m *Model) ([]byte, error) {
	if err := m.Validate(); err != nil {
		return nil, fmt.Errorf("encode the catalog model: %w", err)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(m); err != nil {
		return nil, fmt.Errorf("encode the catalog model: %w", err)
	}
	if b.Len() > MaxSize {
		return nil, fmt.Errorf("encode the catalog model: %d bytes are more than %d", b.Len(), MaxSize)
	}
	return b.Bytes(), nil
}

// Decode reads the JSON form of a model and validates it. It refuses fields
// that it does not know, a newer format, data after the end and more than
// MaxSize bytes.
func Decode(r io.Reader) (*Model, error) {
	m, err := decode(r)
	if err != nil {
		return nil, fmt.Errorf("decode the catalog model: %w", err)
	}
	return m, nil
}

func decode(r io.Reader) (*Model, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxSize {
		return nil, fmt.Errorf("it has more than %d bytes", MaxSize)
	}
	var version struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return nil, err
	}
	if version.Format < 1 || version.Format > FormatVersion {
		return nil, fmt.Errorf("its format %d is not known to this version, which reads 1 to %d", version.Format, FormatVersion)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	m := &Model{}
	if err := d.Decode(m); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("data after the end")
	}
	return m, m.Validate()
}

// CompareRefs orders references.
func CompareRefs(a, b Ref) int {
	return cmp.Or(
		strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Schema, b.Schema),
		strings.Compare(a.Name, b.Name), strings.Compare(a.Arguments, b.Arguments))
}
