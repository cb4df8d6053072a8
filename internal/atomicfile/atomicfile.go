// Package atomicfile writes files of which a reader sees all or nothing.
//
// It is for single files that a person named, such as a CSV of findings. What
// lives in a store is written by blobstore, which also keeps others out.
package atomicfile

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Replace writes a file beside name, with the given permissions whatever the
// umask is, syncs it, and renames it to name; an older file of that name is
// gone then. It returns the size. Where it fails, an older file is as it was
// and nothing is left of the new one.
func Replace(name string, mode os.FileMode, write func(io.Writer) error) (size int64, err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".harbordb-*.tmp")
	if err != nil {
		return 0, fmt.Errorf("write %s: %w", name, err)
	}
	defer os.Remove(f.Name()) // gone already where it was renamed
	size, err = fill(f, mode, write)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(name))
	}
	if err != nil {
		return 0, fmt.Errorf("write %s: %w", name, err)
	}
	return size, nil
}

func fill(f *os.File, mode os.FileMode, write func(io.Writer) error) (size int64, err error) {
	if err := f.Chmod(mode); err != nil {
		return 0, err
	}
	if err := write(f); err != nil {
		return 0, err
	}
	if err := f.Sync(); err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func syncFolder(name string) error {
	folder, err := os.Open(name)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
