// Package textfile writes a file of metrics for the textfile collector of
// Prometheus' node_exporter, which several runs of a program share.
//
// A run replaces what it has measured and leaves the series of other runs
// alone, those of runs at the same time among them. A reader sees a whole file
// or the former one. The package must never take the place of a file that
// holds anything else, and knows nothing of what the numbers mean.
package textfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/harbordb/harbordb/internal/atomicfile"
)

// Mode are the permissions of the file: node_exporter runs as an account of
// its own, and there is no secret in it.
const Mode = 0o644

// maxSize bounds what is read of a former file, in bytes.
const maxSize = 16 << 20

// ErrForeign says that a file was not written by this package under the
// wanted prefix.
var ErrForeign = errors.New("holds something else than these metrics")

// Labels tell series of one family apart; neither names nor values are
// otherwise restricted than Prometheus does it.
type Labels map[string]string

// Family is a gauge with some of its series.
type Family struct {
	Name, Help string
	Samples    []Sample
}

// Sample is one number. Its series has the labels of the update's scope, too.
type Sample struct {
	Labels Labels
	Value  float64
}

// Update is what one run has measured of one thing. Of each of its families
// the series in the file that have all labels of Scope give way to the
// samples; a family without samples only loses series.
type Update struct {
	Scope    Labels
	Families []Family
}

// File is a file of metrics whose names all begin with Prefix.
type File struct {
	Path, Prefix string
}

// Check says whether Merge could write the file now. It returns an error
// wrapping ErrForeign where the path is taken.
func (f File) Check() error {
	folder, err := os.Stat(filepath.Dir(f.Path))
	if err != nil {
		return err
	}
	if !folder.IsDir() {
		return fmt.Errorf("%s is no folder", filepath.Dir(f.Path))
	}
	_, err = f.read()
	return err
}

// Merge applies updates to the file, in their order, and makes it where it is
// missing. It waits for other runs that do the same, until ctx ends.
func (f File) Merge(ctx context.Context, updates ...Update) error {
	unlock, err := lock(ctx, filepath.Dir(f.Path))
	if err != nil {
		return err
	}
	defer unlock()
	families, err := f.read()
	if err != nil {
		return err
	}
	for _, u := range updates {
		u.apply(families)
	}
	text, err := encode(families)
	if err != nil {
		return fmt.Errorf("write %s: %w", f.Path, err)
	}
	_, err = atomicfile.Replace(f.Path, Mode, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
	return err
}

// read returns the families of the file by their names; none where there is
// no file.
func (f File) read() (map[string]*dto.MetricFamily, error) {
	info, err := os.Stat(f.Path)
	if errors.Is(err, os.ErrNotExist) {
		return map[string]*dto.MetricFamily{}, nil
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxSize {
		return nil, fmt.Errorf("%s %w", f.Path, ErrForeign)
	}
	text, err := os.ReadFile(f.Path)
	if err != nil {
		return nil, err
	}
	families, err := decode(text, f.Prefix)
	if err != nil {
		return nil, fmt.Errorf("%s %w", f.Path, err)
	}
	return families, nil
}

// decode reads what encode wrote.
func decode(text []byte, prefix string) (map[string]*dto.MetricFamily, error) {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForeign, err)
	}
	for name, family := range families {
		if !strings.HasPrefix(name, prefix) || family.GetType() != dto.MetricType_GAUGE {
			return nil, fmt.Errorf("%w: %s", ErrForeign, name)
		}
	}
	return families, nil
}
