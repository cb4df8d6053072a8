//go:build unix

package dir

import (
	"strings"

	"golang.org/x/sys/unix"

	"github.com/harbordb/harbordb/blobstore"
)

// Expect tells lists what folders hold, so that they need not read every one
// of them: where most folders hold one file of a known name, reading them
// costs several times as much as looking for the file. f gets the key of a
// folder, with its "/", and returns the names in it, in their order, those of
// folders with a "/" at their end; nothing where it does not know. A folder in
// which one of them is missing is read after all; what lies in a folder
// besides them is not listed. It is called before the first List.
func (r *Reader) Expect(f func(folder string) []string) { r.expect = f }

// maxExpected is how many names of a folder are looked for.
const maxExpected = 2

// expected lists the folder with the given key below fd by the names that are
// expected in it. It is false where the folder has to be read.
func (l *listing) expected(fd int, key string, parent, depth int) (bool, error) {
	names := l.reader.expect(key)
	if len(names) == 0 || len(names) > maxExpected {
		return false, nil
	}
	var files [maxExpected]blobstore.Object
	var folders [maxExpected]int
	for i, name := range names {
		path, ok := key+name, false
		if strings.HasSuffix(name, "/") {
			folders[i], ok = l.expectedFolder(fd, path[parent:])
		} else {
			files[i], ok = l.expectedFile(fd, path, parent)
		}
		if !ok {
			closeFolders(names[:i], folders[:i])
			return false, nil
		}
	}
	for i, name := range names {
		var err error
		if strings.HasSuffix(name, "/") {
			err = l.folder(folders[i], key+name, depth+1)
		} else if l.in.Contains(files[i].Key) {
			err = l.each(files[i])
		}
		if err != nil {
			closeFolders(names[i+1:], folders[i+1:len(names)])
			return true, err
		}
	}
	return true, nil
}

func closeFolders(names []string, folders []int) {
	for i, name := range names {
		if strings.HasSuffix(name, "/") {
			unix.Close(folders[i])
		}
	}
}

func (l *listing) expectedFolder(fd int, path string) (folder int, ok bool) {
	folder, err := openBelow(fd, strings.TrimSuffix(path, "/"), unix.O_DIRECTORY)
	return folder, err == nil
}

// expectedFile looks for a regular file. Whatever else is there, or wrong, the
// reading of the folder will meet.
func (l *listing) expectedFile(fd int, key string, parent int) (blobstore.Object, bool) {
	path := key[parent:]
	if strings.Count(path, "/") > 1 {
		return l.deepFile(fd, key, path)
	}
	st, err := stat(fd, path) // its folder has just been seen to be one
	if err != nil || !isFile(&st) {
		return blobstore.Object{}, false
	}
	o := object(key, &st)
	if st.Size < l.reader.hashBelow {
		o.MD5, err = l.md5(fd, path, st.Size)
	}
	return o, err == nil
}

// deepFile looks for a file below a folder of which only the name is known.
func (l *listing) deepFile(fd int, key, path string) (blobstore.Object, bool) {
	file, err := openBelow(fd, path, unix.O_NONBLOCK)
	if err != nil {
		return blobstore.Object{}, false
	}
	defer unix.Close(file)
	var st unix.Stat_t
	if err := unix.Fstat(file, &st); err != nil || !isFile(&st) {
		return blobstore.Object{}, false
	}
	o := object(key, &st)
	if st.Size < l.reader.hashBelow {
		o.MD5, err = l.sum(file, st.Size)
	}
	return o, err == nil
}
