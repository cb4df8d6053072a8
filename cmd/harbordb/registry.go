package main

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/dir"
	"github.com/harbordb/harbordb/harbor"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/registry"
)

// Where a container of Harbor's registry has its configuration.
const registryConfigFile = "/etc/registry/config.yml"

// registryFlags say where the registry keeps its data.
func registryFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "storage", Usage: "the registry's storage: a folder, s3://bucket/folder?endpoint=…&region=…, swift://container/folder?authurl=… (`URL`)"},
		&cli.StringFlag{Name: "registry-config", Usage: "the registry's own config.yml, with REGISTRY_STORAGE_… variables on top (`FILE`)"},
	}
}

// registryOpener opens the storage of a registry.
type registryOpener struct {
	// byURL opens what stands behind the scheme in --storage.
	byURL func(s *session, rest string) (blobstore.Reader, error)
	// byConfig opens what a configuration of the registry says.
	byConfig func(s *session, c registry.StorageConfig, ca []string) (blobstore.Reader, error)
}

// registryOpeners are the kinds of storage by the registry's name of the
// driver.
func registryOpeners() map[string]registryOpener {
	return map[string]registryOpener{
		"filesystem": {openRegistryFile, openRegistryFolder},
		"s3":         {openRegistryS3URL, openRegistryS3},
		"swift":      {openRegistrySwiftURL, openRegistrySwift},
	}
}

// registryScheme is the driver that a scheme in --storage stands for.
func registryScheme(scheme string) string {
	if scheme == "file" {
		return "filesystem"
	}
	return scheme
}

// openRegistryStore opens the storage that the flags name, or that is found
// where Harbor keeps its settings.
func (s *session) openRegistryStore(c *cli.Context) (blobstore.Reader, error) {
	if given := c.String("storage"); given != "" {
		if c.String("registry-config") != "" {
			return nil, fault.Usagef("--storage and --registry-config both name the storage")
		}
		return s.openRegistryURL(given)
	}
	config, ca, err := s.registryConfig(c)
	if err != nil {
		return nil, err
	}
	opener, ok := registryOpeners()[config.Driver]
	if !ok {
		return nil, fault.Failedf("the registry keeps its data by its driver %q, which cannot be read yet", config.Driver).
			WithHint("drivers that can be read: %s; a bucket that also speaks S3 can be named with --storage s3://…", knownDrivers())
	}
	return opener.byConfig(s, config, ca)
}

func knownDrivers() string {
	var names []string
	for name := range registryOpeners() {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func (s *session) openRegistryURL(given string) (blobstore.Reader, error) {
	scheme, rest, isURL := strings.Cut(given, "://")
	if !isURL {
		return openRegistryPath(given)
	}
	opener, ok := registryOpeners()[registryScheme(scheme)]
	if !ok {
		return nil, fault.Usagef("--storage: no storage is known by %s://", scheme).
			WithHint("a folder, file://, s3:// or swift://")
	}
	return opener.byURL(s, rest)
}

// registryConfig is the registry's own word for its storage: of the file that
// is named, of Harbor's settings, of the place where containers have it, of
// the environment.
func (s *session) registryConfig(c *cli.Context) (config registry.StorageConfig, ca []string, err error) {
	if file := c.String("registry-config"); file != "" {
		config, err = s.readRegistryConfig(file)
		return config, nil, err
	}
	if file := s.global.harborConfig; file != "" {
		return s.harborStorage(file)
	}
	config, err = s.readRegistryConfig(registryConfigFile)
	if !errors.Is(err, fs.ErrNotExist) {
		return config, nil, err
	}
	if registry.InEnvironment(s.env) {
		config, err = registry.ParseConfig(nil, s.env)
		return config, nil, err
	}
	return config, nil, fault.Usagef("no storage of a registry is named").
		WithHint("--storage URL, --registry-config FILE, or --harbor-config harbor.yml")
}

func (s *session) readRegistryConfig(file string) (registry.StorageConfig, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return registry.StorageConfig{}, fault.Failedf("the registry's configuration: %w", err)
	}
	return registry.ParseConfig(content, s.env)
}

// harborStorage is what Harbor's own settings say, or the configuration that
// they point to.
func (s *session) harborStorage(file string) (config registry.StorageConfig, ca []string, err error) {
	storage, err := harbor.ReadStorage(file, "--harbor-config")
	if err != nil {
		return config, nil, err
	}
	if storage.ConfigFile != "" {
		config, err = s.readRegistryConfig(storage.ConfigFile)
		return config, nonEmpty(storage.CABundle), err
	}
	return registry.StorageConfig{Driver: storage.Driver, Parameters: storage.Parameters}, nonEmpty(storage.CABundle), nil
}

func openRegistryFile(_ *session, rest string) (blobstore.Reader, error) {
	host, path, _ := strings.Cut(rest, "/")
	path, err := url.PathUnescape("/" + path)
	if err != nil || host != "" && host != "localhost" {
		return nil, fault.Usagef("--storage: a file URL has three slashes and a path: file:///data/registry")
	}
	return openRegistryPath(path)
}

// defaultRoot is the registry's default for rootdirectory.
const defaultRoot = "/var/lib/registry"

func openRegistryFolder(_ *session, c registry.StorageConfig, _ []string) (blobstore.Reader, error) {
	root := c.Parameters["rootdirectory"]
	if root == "" {
		root = defaultRoot
	}
	reader, err := openRegistryPath(root)
	if errors.Is(err, blobstore.ErrNotFound) {
		return nil, fault.Hint(err, "inside the registry's container the folder has this name; outside, name it with --storage (Harbor: the folder registry of the data volume)")
	}
	return reader, err
}

// openRegistryPath opens a folder: the root directory, one above it, or one in
// the tree.
func openRegistryPath(path string) (blobstore.Reader, error) {
	reader, err := dir.OpenReader(registry.TrimRoot(path))
	if err != nil {
		return nil, err
	}
	reader.HashUpTo(registry.LongestLink)
	reader.Expect(registry.Expect)
	return reader, nil
}
