//go:build unix

package dir

import (
	"crypto/md5"

	"golang.org/x/sys/unix"
)

// HashUpTo makes lists read every file of at most size bytes and tell its
// MD5, as a bucket's listing does. Where a small file is to be compared with
// what it should hold, that costs less than a Get: its folder is open already.
// It is called before the first List.
func (r *Reader) HashUpTo(size int64) { r.hashBelow = size + 1 }

// md5 reads a small file. A file that has vanished, has changed its size
// meanwhile or may not be read has no MD5; a Get will say why.
func (l *listing) md5(folder int, name string, size int64) ([]byte, error) {
	fd, err := openAt(folder, name, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	switch err {
	case nil:
	case unix.ENOENT, unix.ELOOP, unix.EACCES, unix.EPERM:
		return nil, nil
	default:
		return nil, err
	}
	defer unix.Close(fd)
	return l.sum(fd, size)
}

// sum reads an open file that should be of the given size.
func (l *listing) sum(fd int, size int64) ([]byte, error) {
	if int64(len(l.content)) <= size {
		l.content = make([]byte, max(size+1, l.reader.hashBelow))
	}
	n, err := retry(func() (int, error) { return unix.Read(fd, l.content[:size+1]) })
	if err != nil || int64(n) != size {
		return nil, err
	}
	sum := md5.Sum(l.content[:n])
	return sum[:], nil
}
