package registry

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml"

	"github.com/harbordb/harbordb/internal/fault"
)

// StorageConfig is where a registry keeps its data, in the words of its
// config.yml.
type StorageConfig struct {
	Driver string // "filesystem", "s3", "swift", "gcs", "azure", "oss", …
	// Parameters are the driver's options as text, whatever their YAML type
	// was; of nested ones the names are joined by ".": "credentials.type".
	// They hold secrets: never print them.
	Parameters map[string]string
	// RedirectDisabled is storage.redirect.disable.
	RedirectDisabled bool
}

// siblings are the keys of the storage section that are no driver.
var siblings = []string{"cache", "maintenance", "delete", "redirect", "tag"}

// environmentPrefix begins the variables that override the storage section.
const environmentPrefix = "REGISTRY_STORAGE"

// coreVariable looks like one of them and is none: Harbor's core has it, to
// know the driver's name (harbor-helm templates/core/core-cm.yaml). A process
// with the environment of core and registry sees it, too.
const coreVariable = "REGISTRY_STORAGE_PROVIDER_NAME"

// InEnvironment tells whether env says anything of a registry's storage.
func InEnvironment(env map[string]string) bool {
	for name, value := range env {
		if isOverride(name) && value != "" {
			return true
		}
	}
	return false
}

func isOverride(name string) bool {
	return strings.HasPrefix(name, environmentPrefix) && name != coreVariable
}

// ParseConfig reads the storage section of a registry's config.yml. Keys that
// it does not know are kept or ignored, numbers and switches may be written as
// strings. env is the registry's environment, of which the variables
// REGISTRY_STORAGE and REGISTRY_STORAGE_<DRIVER>_<OPTION> override the file as
// they do in the registry itself; content may be empty where they say all.
// Errors name keys and never values.
func ParseConfig(content []byte, env map[string]string) (StorageConfig, error) {
	var file struct {
		Storage node `yaml:"storage"`
	}
	if err := yaml.UnmarshalWithOptions(content, &file, yaml.AllowDuplicateMapKey()); err != nil {
		return StorageConfig{}, fmt.Errorf("parse the registry's configuration: %w", withoutSource(err))
	}
	section := file.Storage.flat()
	if driver := file.Storage.text; isWord(driver) { // "storage: filesystem"
		section[strings.ToLower(driver)] = ""
	}
	override(section, env)
	drivers := driversOf(section)
	switch len(drivers) {
	case 1:
	case 0:
		return StorageConfig{}, fault.Usagef("the registry's configuration has no storage driver").
			WithHint("give the registry's own config.yml (Harbor: common/config/registry/config.yml), or name the storage with --storage")
	default:
		return StorageConfig{}, fault.Usagef("the registry's configuration has several storage drivers: %s",
			strings.Join(drivers, ", ")).WithHint("leave one of them, or name the storage with --storage")
	}
	return configOf(section, drivers[0])
}

func isWord(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
}

func configOf(section map[string]string, driver string) (StorageConfig, error) {
	c := StorageConfig{Driver: driver, Parameters: make(map[string]string)}
	for key, value := range section {
		if option, ok := strings.CutPrefix(key, driver+"."); ok {
			c.Parameters[option] = value
		}
	}
	redirect := StorageConfig{Driver: "redirect", Parameters: map[string]string{"disable": section["redirect.disable"]}}
	disabled, err := redirect.Switch("disable", false)
	c.RedirectDisabled = disabled
	return c, err
}

// Switch reads an option that is on or off.
func (c StorageConfig) Switch(option string, byDefault bool) (bool, error) {
	switch strings.ToLower(c.Parameters[option]) {
	case "":
		return byDefault, nil
	case "true", "yes", "on", "1", "t", "y":
		return true, nil
	case "false", "no", "off", "0", "f", "n":
		return false, nil
	}
	return false, fault.Usagef("storage.%s.%s is neither true nor false", c.Driver, option)
}

// driversOf lists the keys of the section that are drivers, sorted.
func driversOf(section map[string]string) []string {
	found := make(map[string]bool)
	for key := range section {
		name, _, _ := strings.Cut(key, ".")
		if name != "" && !slices.Contains(siblings, name) {
			found[name] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// override applies the environment in the order of names, as the registry
// does: REGISTRY_STORAGE replaces the whole section by one driver, what is
// longer sets one option.
func override(section, env map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if !isOverride(name) {
			continue
		}
		rest := strings.TrimPrefix(name, environmentPrefix)
		if rest == "" {
			clear(section)
			section[strings.ToLower(strings.TrimSpace(env[name]))] = ""
			continue
		}
		if option, ok := strings.CutPrefix(rest, "_"); ok && option != "" {
			section[strings.ToLower(strings.ReplaceAll(option, "_", "."))] = env[name]
		}
	}
}

// node is a YAML value whose scalars keep the text they were written with: an
// access key of digits with a zero in front is no number.
type node struct {
	text     string
	children map[string]node
}

// UnmarshalYAML implements the decoder's interface for raw bytes.
func (n *node) UnmarshalYAML(raw []byte) error {
	var value any
	if err := yaml.UnmarshalWithOptions(raw, &value, yaml.AllowDuplicateMapKey()); err != nil {
		return withoutSource(err)
	}
	switch v := value.(type) {
	case nil:
	case string:
		n.text = strings.TrimSuffix(v, "\n")
	case map[string]any:
		return yaml.UnmarshalWithOptions(raw, &n.children, yaml.AllowDuplicateMapKey())
	default:
		n.text = string(bytes.TrimSpace(raw))
	}
	return nil
}

// flat returns the tree as a map from "a.b.c" to text, the names in lower
// case. A node without children is a key, too: "inmemory:" is a driver.
func (n node) flat() map[string]string {
	all := make(map[string]string)
	n.addTo(all, "")
	return all
}

func (n node) addTo(all map[string]string, path string) {
	if path != "" && len(n.children) == 0 {
		all[path] = n.text
	}
	for name, child := range n.children {
		name = strings.ToLower(name)
		if path != "" {
			name = path + "." + name
		}
		child.addTo(all, name)
	}
}

// withoutSource returns a YAML error without the excerpt of the file that the
// parser adds: it may show a secret.
func withoutSource(err error) error {
	text, _, _ := strings.Cut(yaml.FormatError(err, false, false), "\n")
	return fmt.Errorf("%s", text)
}
