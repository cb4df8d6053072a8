package harbor

import (
	"path"
	"strings"

	"github.com/harbordb/harbordb/internal/fault"
)

// Storage is where an installation says that its registry keeps its data: a
// driver of the registry with its parameters, by the names that both have in
// the registry's own configuration, or that configuration itself.
type Storage struct {
	// Driver is filesystem, s3, swift, azure, gcs or oss. Parameters may
	// hold credentials and must not be printed.
	Driver     string
	Parameters map[string]string
	// ConfigFile, where it is not empty, is the registry's own
	// configuration, and Driver and Parameters say nothing.
	ConfigFile string
	// CABundle is a file of root certificates that the storage needs; it
	// may be empty.
	CABundle string
	// Origin names the file and the key.
	Origin string
}

// ReadStorage reads where the registry keeps its data from harbor.yml,
// harbor.cfg or a rendered env file. origin names the flag that gave the file.
func ReadStorage(file, origin string) (Storage, error) {
	config, err := readConfig(file, origin)
	if err != nil {
		return Storage{}, err
	}
	s, err := config.storage()
	if err != nil {
		return Storage{}, err
	}
	if s.ConfigFile == "" && !isStorageDriver(s.Driver) {
		return Storage{}, fault.Failedf("%s: Harbor knows no storage driver %q", s.Origin, s.Driver)
	}
	return s, nil
}

func isStorageDriver(name string) bool {
	for _, known := range storageDrivers {
		if known == name {
			return true
		}
	}
	return false
}

// containerRoot is where the registry's container sees the folder registry of
// the data volume.
const containerRoot = "/storage"

// newStorage completes a driver's parameters. For a folder it turns the path
// that holds inside the registry's container into the one on the host.
func newStorage(driver string, parameters map[string]string, volume, origin string) Storage {
	if parameters == nil {
		parameters = map[string]string{}
	}
	if driver == "filesystem" {
		root := parameters["rootdirectory"]
		if root == "" {
			root = containerRoot
		}
		if inside, ok := strings.CutPrefix(path.Clean(root), containerRoot); ok && (inside == "" || inside[0] == '/') {
			root = path.Join(volume, "registry", inside)
		}
		parameters["rootdirectory"] = root
	}
	return Storage{Driver: driver, Parameters: parameters, Origin: origin}
}
