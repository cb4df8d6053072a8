package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

var metricName = regexp.MustCompile(`\b` + metricsPrefix + `\w+`)

func TestEveryMetricIsDocumentedAndNoOther(t *testing.T) {
	page, err := os.ReadFile("../../docs/METRICS.md")
	if err != nil {
		t.Fatal(err)
	}
	named := metricName.FindAllString(string(page), -1)
	for name, help := range metricHelp {
		if !slices.Contains(named, metricsPrefix+name) {
			t.Errorf("docs/METRICS.md does not name %s%s", metricsPrefix, name)
		}
		if !strings.HasSuffix(help, ".") {
			t.Errorf("%s: the help is whole sentences: %q", name, help)
		}
	}
	requireKnown(t, "docs/METRICS.md", named)
}

func requireKnown(t *testing.T, where string, names []string) {
	t.Helper()
	for _, name := range names {
		if _, ok := metricHelp[strings.TrimPrefix(name, metricsPrefix)]; !ok {
			t.Errorf("%s: there is no metric %s", where, name)
		}
	}
}

// labelNames are the labels that docs/METRICS.md documents.
var labelNames = []string{"command", "database", "code", "name", "severity", "store"}

func TestRulesForAlertsAskForDocumentedNames(t *testing.T) {
	text, err := os.ReadFile("../../deploy/monitoring/harbordb.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.UnmarshalWithOptions(text, &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	label := regexp.MustCompile(`[{,(]\s*(\w+)\s*(?:=|,|\))`)
	templated := regexp.MustCompile(`\$labels\.(\w+)`)
	for _, rule := range file.Groups[0].Rules {
		names := metricName.FindAllString(rule.Expr, -1)
		if len(names) == 0 || rule.Annotations["summary"] == "" || rule.Labels["severity"] == "" {
			t.Errorf("%s asks for nothing, or says nothing", rule.Alert)
		}
		requireKnown(t, rule.Alert, names)
		used := append(label.FindAllStringSubmatch(rule.Expr, -1), templated.FindAllStringSubmatch(rule.Annotations["summary"], -1)...)
		for _, l := range used {
			if !slices.Contains(labelNames, l[1]) && !metricName.MatchString(l[1]) {
				t.Errorf("%s: there is no label %s", rule.Alert, l[1])
			}
		}
	}
}
