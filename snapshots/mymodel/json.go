package mymodel

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// MaxSize is the largest JSON form that Decode reads, in bytes. A Harbor
// database's has 30 kB.
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
	return b.Bytes(), nil
}

// Decode reads the JSON form of a model and validates it. It refuses fields
// that it does not know, a newer format, data after the end and more than
// MaxSize bytes.
func Decode(data []byte) (*Model, error) {
	m, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("decode the catalog model: %w", err)
	}
	return m, nil
}

func decode(data []byte) (*Model, error) {
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

// RenderJSON is RenderSQL of a model in its JSON form.
func RenderJSON(model []byte) (pre, post string, err error) {
	m, err := Decode(model)
	if err != nil {
		return "", "", err
	}
	return RenderSQL(m)
}

// DiffJSON compares two models in their JSON form, one line a difference.
func DiffJSON(a, b []byte) ([]string, error) {
	first, err := Decode(a)
	if err != nil {
		return nil, err
	}
	second, err := Decode(b)
	if err != nil {
		return nil, err
	}
	return Diff(first, second), nil
}
