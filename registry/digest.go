package registry

import (
	"crypto"
	_ "crypto/sha256" // for crypto.Hash.New
	_ "crypto/sha512"
	"fmt"
	"hash"
	"strings"
)

// Digest names content: an algorithm and the value in hexadecimal digits.
// Digests are comparable. The zero Digest names nothing.
type Digest struct {
	Algorithm string // "sha256"; of the first registries also "tarsum.v1+sha256"
	Hex       string
}

// Algorithms that a registry computes, with the digest of no input at all,
// which is the one digest under which an empty blob is right.
var algorithms = map[string]struct {
	hash  crypto.Hash
	empty string
}{
	"sha256": {crypto.SHA256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	"sha384": {crypto.SHA384, "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b"},
	"sha512": {crypto.SHA512, "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"},
}

// SHA256 is the algorithm that every client uses.
const SHA256 = "sha256"

// ParseDigest reads "algorithm:hex" as strictly as a registry does: the value
// of a known algorithm has its length and lower-case digits only. An unknown
// algorithm is accepted if its spelling is legal.
func ParseDigest(text string) (Digest, error) {
	algorithm, value, found := strings.Cut(text, ":")
	d := Digest{Algorithm: algorithm, Hex: value}
	if !found || !legalAlgorithm(algorithm) || value == "" {
		return Digest{}, fmt.Errorf("%.80q is no digest", text)
	}
	if known, ok := algorithms[algorithm]; ok {
		if len(value) != known.hash.Size()*2 || !isHex(value) {
			return Digest{}, fmt.Errorf("%.80q is no %s digest", text, algorithm)
		}
		return d, nil
	}
	if strings.ContainsFunc(value, func(c rune) bool { return !isValueRune(c) }) {
		return Digest{}, fmt.Errorf("%.80q is no digest", text)
	}
	return d, nil
}

func isValueRune(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '=' || c == '_' || c == '-'
}

// legalAlgorithm follows the digest grammar: runs of lower-case letters and
// digits with one of "+._-" between them.
func legalAlgorithm(s string) bool {
	run := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			run = true
		case (c == '+' || c == '.' || c == '_' || c == '-') && run:
			run = false
		default:
			return false
		}
	}
	return run
}

// notHex is 0 for what is a lower case hexadecimal digit.
var notHex = func() (not [256]uint8) {
	for c := range not {
		if !strings.ContainsRune("0123456789abcdef", rune(c)) {
			not[c] = 1
		}
	}
	return not
}()

// isHex does not branch on what a digest's digits are: half of them are
// letters, in no order that a processor could foresee.
func isHex(s string) bool {
	var not uint8
	for i := 0; i < len(s); i++ {
		not |= notHex[s[i]]
	}
	return not == 0 && s != ""
}

// String returns "algorithm:hex".
func (d Digest) String() string {
	if d == (Digest{}) {
		return ""
	}
	return d.Algorithm + ":" + d.Hex
}

// MarshalText is String.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// NewHash returns the hash that proves content of this digest; false for an
// algorithm that is not known.
func (d Digest) NewHash() (hash.Hash, bool) {
	known, ok := algorithms[d.Algorithm]
	if !ok {
		return nil, false
	}
	return known.hash.New(), true
}

// OfNothing reports whether d is the digest of the empty input: a blob of 0
// bytes under it is whole.
func (d Digest) OfNothing() bool {
	known, ok := algorithms[d.Algorithm]
	return ok && d.Hex == known.empty
}

// algorithmFolders turns an algorithm into the folders it is kept under.
var algorithmFolders = strings.NewReplacer("+", "/", ".", "/", ";", "/")

// folders returns the components under which content of d is linked.
func (d Digest) folders() string {
	if d.Algorithm == SHA256 {
		return "sha256/" + d.Hex
	}
	return algorithmFolders.Replace(d.Algorithm) + "/" + d.Hex
}

// SameFolders reports whether two digests are kept under the same path, which
// is all that a name in storage tells: "tarsum.v1+sha256:x" and
// "tarsum+v1+sha256:x" are.
func (d Digest) SameFolders(other Digest) bool {
	return d == other || d.Hex == other.Hex &&
		algorithmFolders.Replace(d.Algorithm) == algorithmFolders.Replace(other.Algorithm)
}
