package orphans

import (
	"encoding/binary"
	"errors"

	"github.com/harbordb/harbordb/registry"
)

// What a manifest refers to is written as a list of references, in records and
// in the cache alike:
//
//	role (1), flags (1), length of the algorithm (1), algorithm (none for
//	sha256), length of the value (1), value, size (signed varint)

var errReferences = errors.New("damaged list of references")

// appendReference writes one reference.
func appendReference(buf []byte, ref registry.Reference) []byte {
	var rawBuf [maxDigest]byte
	raw := rawDigest(rawBuf[:0], ref.Digest)
	algorithm := ref.Digest.Algorithm
	if algorithm == registry.SHA256 {
		algorithm = ""
	}
	if len(raw) > maxDigest || len(algorithm) > maxDigest {
		return buf // no registry makes such a digest, and none could be looked for
	}
	flags := byte(0)
	if ref.Foreign {
		flags |= flagForeign
	}
	buf = append(buf, byte(ref.Role), flags, byte(len(algorithm)))
	buf = append(buf, algorithm...)
	buf = append(buf, byte(len(raw)))
	buf = append(buf, raw...)
	return binary.AppendVarint(buf, ref.Size)
}

// nextReference takes the first reference off a list.
func nextReference(buf []byte) (ref registry.Reference, rest []byte, err error) {
	if len(buf) < 3 {
		return ref, nil, errReferences
	}
	ref.Role, ref.Foreign = registry.Role(buf[0]), buf[1]&flagForeign != 0
	algorithm, rest, ok := cutCounted(buf[2:])
	if !ok || len(algorithm) > maxDigest {
		return ref, nil, errReferences
	}
	raw, rest, ok := cutCounted(rest)
	if !ok || len(raw) == 0 || len(raw) > maxDigest {
		return ref, nil, errReferences
	}
	size, n := binary.Varint(rest)
	if n <= 0 {
		return ref, nil, errReferences
	}
	ref.Size = size
	name := registry.SHA256
	if len(algorithm) > 0 {
		name = string(algorithm)
	}
	ref.Digest = digestOf(name, raw)
	return ref, rest[n:], nil
}

// cutCounted takes a length and as many bytes off buf.
func cutCounted(buf []byte) (part, rest []byte, ok bool) {
	if len(buf) == 0 || len(buf) < 1+int(buf[0]) {
		return nil, nil, false
	}
	end := 1 + int(buf[0])
	return buf[1:end], buf[end:], true
}

// decodeReferences reads a whole list.
func decodeReferences(buf []byte) ([]registry.Reference, error) {
	var list []registry.Reference
	for len(buf) > 0 {
		ref, rest, err := nextReference(buf)
		if err != nil {
			return nil, err
		}
		list, buf = append(list, ref), rest
	}
	return list, nil
}
