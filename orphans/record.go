package orphans

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"

	"github.com/harbordb/harbordb/registry"
)

// kind says what a record states about its digest.
type kind uint8

// The kinds. Those of the first group are about the digest alone, those of the
// second about the digest in one repository; the order is the one in which
// records of one repository are met.
const (
	kindObjectRow     kind = iota + 1 // a row of table blob: size, status, foreign
	kindSystem                        // an artifact of Harbor's own, stored as a blob
	kindBadManifest                   // the manifest was read and is damaged: why
	kindRevision                      // a revision link: state
	kindRevisionGone                  // the folder of a revision, without the link
	kindLayer                         // a layer link: state
	kindTag                           // a tag's current link points here: state, name
	kindTagIndex                      // an index entry of a tag that points elsewhere now: name
	kindTagRow                        // Harbor 1.9 and 1.10: a row for a tag: name
	kindArtifact                      // a row of table artifact: id
	kindTrash                         // a row of table artifact_trash
	kindReferrer                      // the manifest has a subject: it needs no tag
	kindRef                           // a manifest of the repository refers to it: reference
	kindManifest                      // what a manifest refers to: list (in a spool of its own)
	kindSegmentsNamed                 // an object has these segments (in a spool of its own)
	kindSegmentsFound                 // these segments are there: size, time, name
)

// noRepository is the repository of records about the digest alone.
const noRepository uint32 = 0

// linkState is what is known of a link.
type linkState uint8

const (
	linkNone linkState = iota
	linkProved
	linkAssumed   // right size, and nobody has vouched for the content
	linkEmpty     // 0 bytes
	linkMalformed // no digest
	linkOther     // another digest than the path's
)

func (s linkState) readable() bool { return s == linkProved || s == linkAssumed }
func (s linkState) bad() bool      { return s == linkEmpty || s == linkMalformed }

// record is one statement, as bytes:
//
//	length of all that follows (2), length of the digest (1), digest,
//	repository (4, big endian), kind (1), payload
//
// A digest is kept raw where its algorithm is known, else as text; the order
// of records is that of their digests' names, then repository, then kind.
type record []byte

const recordHeader = 3 // the two lengths

func appendRecord(buf []byte, digest []byte, repo uint32, k kind, payload []byte) []byte {
	buf = binary.LittleEndian.AppendUint16(buf, uint16(1+len(digest)+5+len(payload)))
	buf = append(buf, byte(len(digest)))
	buf = append(buf, digest...)
	buf = binary.BigEndian.AppendUint32(buf, repo)
	buf = append(buf, byte(k))
	return append(buf, payload...)
}

// next takes the first record off buf.
func next(buf []byte) (r record, rest []byte) {
	size := 2 + int(binary.LittleEndian.Uint16(buf))
	return record(buf[:size]), buf[size:]
}

func (r record) digest() []byte  { return r[recordHeader : recordHeader+int(r[2])] }
func (r record) tail() []byte    { return r[recordHeader+int(r[2]):] }
func (r record) repo() uint32    { return binary.BigEndian.Uint32(r.tail()) }
func (r record) kind() kind      { return kind(r.tail()[4]) }
func (r record) payload() []byte { return r.tail()[5:] }

// compareRecords orders by digest, repository, kind and payload.
func compareRecords(a, b record) int {
	if c := bytes.Compare(a.digest(), b.digest()); c != 0 {
		return c
	}
	return bytes.Compare(a.tail(), b.tail())
}

// maxDigest is more than any digest's bytes; longer ones, which no registry
// makes, are left out by their reader.
const maxDigest = 200

// rawDigest appends the bytes that stand for d's value.
func rawDigest(buf []byte, d registry.Digest) []byte {
	if rawHex(d.Algorithm) {
		if out, err := hex.AppendDecode(buf, []byte(d.Hex)); err == nil {
			return out
		}
	}
	return append(buf, d.Hex...)
}

// digestOf turns bytes back into a digest.
func digestOf(algorithm string, raw []byte) registry.Digest {
	if rawHex(algorithm) {
		return registry.Digest{Algorithm: algorithm, Hex: hex.EncodeToString(raw)}
	}
	return registry.Digest{Algorithm: algorithm, Hex: string(raw)}
}

// rawHex: these algorithms have hexadecimal values of one length, which
// package registry has checked.
func rawHex(algorithm string) bool {
	return algorithm == registry.SHA256 || algorithm == "sha512" || algorithm == "sha384"
}

// reference is what a kindRef says.
type reference struct {
	role    registry.Role
	foreign bool
	// weak references come from what nobody can pull anyway: they keep a
	// blob from being garbage, and make nothing missing.
	weak bool
	size int64
}

const (
	flagForeign = 1 << iota
	flagWeak
)

func (r reference) encode(buf []byte) []byte {
	flags := byte(0)
	if r.foreign {
		flags |= flagForeign
	}
	if r.weak {
		flags |= flagWeak
	}
	buf = append(buf, byte(r.role), flags)
	return binary.AppendVarint(buf, r.size)
}

func decodeReference(payload []byte) reference {
	size, _ := binary.Varint(payload[2:])
	return reference{
		role:    registry.Role(payload[0]),
		foreign: payload[1]&flagForeign != 0,
		weak:    payload[1]&flagWeak != 0,
		size:    size,
	}
}

// objectRow is what a kindObjectRow says: a row of table blob.
type objectRow struct {
	size    int64
	foreign bool
	status  string
}

func (r objectRow) encode(buf []byte) []byte {
	flags := byte(0)
	if r.foreign {
		flags |= flagForeign
	}
	buf = append(buf, flags)
	buf = binary.AppendVarint(buf, r.size)
	return append(buf, r.status...)
}

func decodeObjectRow(payload []byte) objectRow {
	size, n := binary.Varint(payload[1:])
	return objectRow{
		size:    size,
		foreign: payload[0]&flagForeign != 0,
		status:  string(payload[1+n:]),
	}
}
