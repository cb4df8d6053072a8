package s3

import (
	"encoding/xml"
	"strings"
)

// scanPage reads a page of a list in the form that almost all servers write:
// elements without prefixes, attributes only at the root, text of ASCII with
// the usual entities. It is many times as fast as encoding/xml, which
// otherwise takes most of the time of listing a large bucket. For everything
// else it is false, and encoding/xml decides.
func scanPage(text string) (p rawPage, ok bool) {
	s := scanner{rest: text}
	s.declaration()
	if !s.root("ListBucketResult") {
		return p, false
	}
	p.XMLName = xml.Name{Space: s.space, Local: "ListBucketResult"}
	for {
		name, form := s.tag()
		switch {
		case form == closing:
			return p, name == "ListBucketResult" && s.end()
		case form == bad:
			return p, false
		case name == "Contents":
			o, ok := rawObject{}, form == selfClosed
			if !ok {
				o, ok = s.object()
			}
			if !ok {
				return p, false
			}
			p.Contents = append(p.Contents, o)
		default:
			if !s.field(name, form, p.field(name)) {
				return p, false
			}
		}
	}
}

// field is where the text of an element belongs; nil where it is not wanted.
func (p *rawPage) field(name string) *string {
	switch name {
	case "EncodingType":
		return &p.EncodingType
	case "IsTruncated":
		return &p.IsTruncated
	case "NextContinuationToken":
		return &p.NextContinuationToken
	case "NextMarker":
		return &p.NextMarker
	}
	return nil
}

func (o *rawObject) field(name string) *string {
	switch name {
	case "Key":
		return &o.Key
	case "LastModified":
		return &o.LastModified
	case "ETag":
		return &o.ETag
	case "Size":
		return &o.Size
	}
	return nil
}

// form is what kind of tag there is.
type form int

const (
	bad form = iota
	opening
	closing
	selfClosed
)

// scanner reads tags and text.
type scanner struct {
	rest  string
	space string // the namespace that the root declares
}

// object reads the elements of one object, after its opening tag.
func (s *scanner) object() (o rawObject, ok bool) {
	for {
		name, form := s.tag()
		if form == closing {
			return o, name == "Contents"
		}
		if form == bad || !s.field(name, form, o.field(name)) {
			return o, false
		}
	}
}

// field reads the rest of an element, after its opening tag, into the text
// that is wanted, or passes it with all that is in it.
func (s *scanner) field(name string, form form, into *string) bool {
	if form == selfClosed {
		return true
	}
	if into == nil {
		return s.skip(name)
	}
	text, ok := s.text()
	if !ok || *into != "" { // one that comes twice is not for us to judge
		return false
	}
	*into = text
	end, form := s.tag()
	return form == closing && end == name
}

// skip passes an element without looking at its text.
func (s *scanner) skip(name string) bool {
	open := []string{name}
	for len(open) > 0 {
		if _, ok := s.text(); !ok {
			return false
		}
		name, form := s.tag()
		switch form {
		case opening:
			open = append(open, name)
		case closing:
			if name != open[len(open)-1] {
				return false
			}
			open = open[:len(open)-1]
		case bad:
			return false
		}
	}
	return true
}

// tag reads one tag, and blanks before it.
func (s *scanner) tag() (string, form) {
	s.rest = strings.TrimLeft(s.rest, " \t\n")
	if len(s.rest) < 3 || s.rest[0] != '<' {
		return "", bad
	}
	end := strings.IndexByte(s.rest, '>')
	if end < 0 {
		return "", bad
	}
	name, form := s.rest[1:end], opening
	s.rest = s.rest[end+1:]
	if name[0:min(1, len(name))] == "/" {
		name, form = name[1:], closing
	} else if strings.HasSuffix(name, "/") {
		name, form = name[:len(name)-1], selfClosed
	}
	if !isName(name) {
		return "", bad
	}
	return name, form
}

// isName reports whether a tag is a plain name: no prefix, no attributes, no
// comment.
func isName(name string) bool {
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return name != ""
}

// text reads up to the next tag.
func (s *scanner) text() (string, bool) {
	end := strings.IndexByte(s.rest, '<')
	if end < 0 {
		return "", false
	}
	text := s.rest[:end]
	s.rest = s.rest[end:]
	entities := false
	for i := range len(text) {
		switch c := text[i]; {
		case c == '&':
			entities = true
		case c < ' ' && c != '\n' && c != '\t', c >= 0x7f, c == ']': // "]]>" is an error
			return "", false
		}
	}
	if !entities {
		return text, true
	}
	return unescape(text)
}

// unescape replaces the five entities of XML, and the number that Amazon
// writes for a quotation mark.
func unescape(text string) (string, bool) {
	if !known(text) {
		return "", false
	}
	return entities.Replace(text), true
}

var entities = strings.NewReplacer("&quot;", `"`, "&#34;", `"`, "&amp;", "&", "&lt;", "<", "&gt;", ">", "&apos;", "'", "&#39;", "'")

// known reports whether each ampersand begins an entity that is replaced.
func known(text string) bool {
	for {
		_, after, found := strings.Cut(text, "&")
		if !found {
			return true
		}
		name, rest, found := strings.Cut(after, ";")
		if !found {
			return false
		}
		switch name {
		case "quot", "#34", "amp", "lt", "gt", "apos", "#39":
		default:
			return false
		}
		text = rest
	}
}

// declaration passes what may stand before the root.
func (s *scanner) declaration() {
	const plain = `<?xml version="1.0" encoding="UTF-8"?>`
	s.rest = strings.TrimLeft(strings.TrimPrefix(s.rest, plain), " \t\n")
}

// root reads the opening tag of the root, with or without the namespace of
// S3.
func (s *scanner) root(name string) bool {
	for _, space := range []string{"", "http://s3.amazonaws.com/doc/2006-03-01/"} {
		tag := "<" + name + ">"
		if space != "" {
			tag = "<" + name + ` xmlns="` + space + `">`
		}
		if rest, ok := strings.CutPrefix(s.rest, tag); ok {
			s.rest, s.space = rest, space
			return true
		}
	}
	return false
}

// end reports whether nothing is left.
func (s *scanner) end() bool { return strings.Trim(s.rest, " \t\n") == "" }
