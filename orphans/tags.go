package orphans

import (
	"slices"
	"strings"

	"github.com/harbordb/harbordb/registry"
)

// endTag makes records of a tag of which all names are known.
//
// What a tag means stands in its current link, and every manifest that it has
// ever meant in its index. So the candidates are known, and the listing's MD5
// of the current link tells which of them it is.
func (k *repoKeys) endTag() error {
	tag := k.tag
	k.tag = tagKeys{}
	s := k.scan
	s.count.tags.Add(1)
	if tag.current.Key == "" {
		name := s.repos.name(tag.repo)
		if !s.gaps.covers(registry.TagCurrentPath(name, tag.name)) {
			s.suspects.add(suspect{code: TagCurrentMissing, repo: tag.repo, tag: strings.Clone(tag.name)})
		}
		return k.recordIndex(tag, registry.Digest{})
	}
	if tag.current.Size == 0 {
		s.suspects.add(suspect{code: TagLinkMalformed, repo: tag.repo, tag: strings.Clone(tag.name)})
		return k.recordIndex(tag, registry.Digest{})
	}
	if d, state := k.target(tag); state != linkNone {
		return k.recordTag(tag, d, state)
	}
	tag.name = strings.Clone(tag.name)
	tag.index = slices.Clone(tag.index)
	name := strings.Clone(tag.current.Key)
	k.reads.Go(func() error {
		d, state, err := s.readLink(k.ctx, name)
		switch {
		case err != nil || state == linkNone:
			return err
		case state.bad():
			s.suspects.add(suspect{code: TagLinkMalformed, repo: tag.repo, tag: tag.name})
			return k.recordIndex(tag, registry.Digest{})
		}
		return k.recordTag(tag, d, state)
	})
	return nil
}

// target finds what the listing says that the tag means; linkNone means that
// the link has to be read.
func (k *repoKeys) target(tag tagKeys) (registry.Digest, linkState) {
	sum := tag.current.MD5
	if k.scan.sums.trusted() && len(sum) > 0 {
		for _, d := range tag.index {
			if tag.current.Size == registry.LinkSize(d) && registry.LinkMD5(d) == [16]byte(sum) {
				k.counts.proved++
				return d, linkProved
			}
		}
		return registry.Digest{}, linkNone
	}
	if len(tag.index) == 1 && tag.current.Size == registry.LinkSize(tag.index[0]) && k.scan.opts.Depth == Metadata {
		k.counts.assumed++
		return tag.index[0], linkAssumed
	}
	return registry.Digest{}, linkNone
}

// recordTag records what a tag means, and what it meant before.
func (k *repoKeys) recordTag(tag tagKeys, d registry.Digest, state linkState) error {
	payload := append([]byte{byte(state)}, tag.name...)
	if err := k.scan.facts.add(d, tag.repo, kindTag, payload); err != nil {
		return err
	}
	if subject, ok := registry.SubjectOfTag(tag.name); ok {
		weak := reference{role: registry.RoleSubject, weak: true, size: registry.SizeUnknown}
		if err := k.scan.facts.add(subject, tag.repo, kindRef, weak.encode(nil)); err != nil {
			return err
		}
	}
	return k.recordIndex(tag, d)
}

func (k *repoKeys) recordIndex(tag tagKeys, current registry.Digest) error {
	for _, d := range tag.index {
		if d == current {
			continue
		}
		if err := k.scan.facts.add(d, tag.repo, kindTagIndex, []byte(tag.name)); err != nil {
			return err
		}
	}
	return nil
}
