package textfile

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// apply makes the update in families.
func (u Update) apply(families map[string]*dto.MetricFamily) {
	scope := valid(u.Scope)
	for _, f := range u.Families {
		family, ok := families[f.Name]
		if !ok {
			kind := dto.MetricType_GAUGE
			family = &dto.MetricFamily{Name: &f.Name, Type: &kind}
			families[f.Name] = family
		}
		family.Help = &f.Help
		family.Metric = slices.DeleteFunc(family.Metric, func(m *dto.Metric) bool { return hasLabels(m, scope) })
		for _, s := range f.Samples {
			family.Metric = append(family.Metric, newMetric(s, scope))
		}
		if len(family.Metric) == 0 {
			delete(families, f.Name)
		}
	}
}

func hasLabels(m *dto.Metric, labels Labels) bool {
	has := 0
	for _, pair := range m.Label {
		if value, ok := labels[pair.GetName()]; ok && value == pair.GetValue() {
			has++
		}
	}
	return has == len(labels)
}

// valid returns the labels as the format can hold them: names of databases
// and stores may be anything, values are UTF-8.
func valid(labels Labels) Labels {
	out := Labels{}
	for name, value := range labels {
		out[name] = strings.ToValidUTF8(value, "\ufffd")
	}
	return out
}

// newMetric is a series with its labels in the order of their names.
func newMetric(s Sample, scope Labels) *dto.Metric {
	all := maps.Clone(scope)
	maps.Copy(all, valid(s.Labels))
	m := &dto.Metric{Gauge: &dto.Gauge{Value: &s.Value}}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		value := all[name]
		m.Label = append(m.Label, &dto.LabelPair{Name: &name, Value: &value})
	}
	return m
}

// byLabels is the order in which the series of a family stand.
func byLabels(a, b *dto.Metric) int {
	return slices.CompareFunc(a.Label, b.Label, func(x, y *dto.LabelPair) int {
		return cmp.Or(cmp.Compare(x.GetName(), y.GetName()), cmp.Compare(x.GetValue(), y.GetValue()))
	})
}

// encode writes families in the order of their names, and their series in
// that of their labels.
func encode(families map[string]*dto.MetricFamily) ([]byte, error) {
	var text bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(families)) {
		slices.SortFunc(families[name].Metric, byLabels)
		if _, err := expfmt.MetricFamilyToText(&text, families[name]); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}
