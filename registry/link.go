package registry

import (
	"bytes"
	"crypto/md5"
	"errors"
	"fmt"
	"strings"
)

// What can be wrong with the content of a link. A registry answers both with
// "invalid checksum digest format" and a status of 500.
var (
	ErrLinkEmpty     = errors.New("the link is empty")
	ErrLinkMalformed = errors.New("the link holds no digest")
)

// MaxLink is more than a link can have: sha512 makes 135 bytes. What is longer
// is malformed and need not be read to its end.
const MaxLink = 512

// ParseLink reads the content of a link as strictly as a registry: a digest
// and nothing around it.
func ParseLink(content []byte) (Digest, error) {
	if len(content) == 0 {
		return Digest{}, ErrLinkEmpty
	}
	d, err := ParseDigest(string(content))
	if err != nil {
		return Digest{}, fmt.Errorf("%w: %s", ErrLinkMalformed, printable(content))
	}
	return d, nil
}

// printable describes content that should not be there.
func printable(content []byte) string {
	if len(bytes.Trim(content, "\x00")) == 0 {
		return fmt.Sprintf("%d NUL bytes", len(content))
	}
	if len(content) > MaxLink {
		return fmt.Sprintf("it begins with %.40q", content)
	}
	return fmt.Sprintf("%d bytes, %.90q", len(content), content)
}

// Repairable returns the digest that a malformed link meant, where nothing but
// white space or NULs around it is wrong.
func Repairable(content []byte) (Digest, bool) {
	d, err := ParseDigest(strings.Trim(string(content), " \t\r\n\x00\ufeff"))
	return d, err == nil
}

// LongestLink is the size of a link by the longest algorithm in use, sha512.
const LongestLink = 135

// LinkSize returns the size of a link to d.
func LinkSize(d Digest) int64 { return int64(len(d.Algorithm) + 1 + len(d.Hex)) }

// LinkMD5 returns the MD5 of a link to d: where a listing shows the same, the
// link is right and need not be read.
func LinkMD5(d Digest) [md5.Size]byte {
	var buf [160]byte
	text := append(buf[:0], d.Algorithm...)
	text = append(text, ':')
	text = append(text, d.Hex...)
	return md5.Sum(text)
}
