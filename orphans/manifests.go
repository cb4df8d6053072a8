package orphans

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/registry"
)

// joiners is how many shards are joined at a time: each holds its records in
// memory, so there are few.
const joiners = 2

// readManifests finds out what the manifests refer to, and makes records of
// that. The database knows it of its artifacts; else the cache; else the
// manifest is read, once however many repositories have it.
func (s *scan) readManifests(ctx context.Context) error {
	// Some of them are in several repositories, and are read once.
	s.begin("manifests", s.count.revisions.Load(), progress.Objects)
	s.cache.makeDir()
	gets, ctx := errgroup.WithContext(ctx)
	gets.SetLimit(s.opts.Gets)
	list := shards(shardCount(s.facts.bytes.Load(), s.count.revisions.Load(), s.opts.Split))
	seen := newDedup()
	err := s.eachShard(ctx, list, func(ctx context.Context, sh shard, b *batch) error {
		m := &manifestShard{scan: s, shard: sh, gets: gets, dedup: seen, batch: b}
		return m.run(ctx)
	})
	return errors.Join(gets.Wait(), err)
}

// eachShard runs f for every shard, a few at a time, each with a batch to hold
// its records.
func (s *scan) eachShard(ctx context.Context, list []shard, f func(context.Context, shard, *batch) error) error {
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(joiners)
	free := make(chan *batch, joiners)
	for range joiners {
		free <- new(batch)
	}
	for _, sh := range list {
		work.Go(func() error {
			b := <-free
			defer func() { free <- b }()
			return f(ctx, sh, b)
		})
	}
	return work.Wait()
}

// manifestShard is one shard's manifests.
type manifestShard struct {
	scan  *scan
	shard shard
	gets  *errgroup.Group // shared by all shards: it bounds the requests

	batch     *batch
	algorithm string
	files     map[byte]*cacheShard
	filesMu   sync.Mutex
	// known says of which groups the database has told the references, by
	// the index of their first record. In a deep scan rows are what it has
	// told.
	known map[int]bool
	rows  map[int][]registry.Digest
	dedup *dedup
}

func (m *manifestShard) run(ctx context.Context) error {
	for _, algorithm := range m.shard.algorithms(m.scan.facts.algorithms()) {
		if err := m.runAlgorithm(ctx, algorithm); err != nil {
			return err
		}
	}
	return nil
}

func (m *manifestShard) runAlgorithm(ctx context.Context, algorithm string) error {
	m.algorithm = algorithm
	m.files, m.known, m.rows = make(map[byte]*cacheShard), make(map[int]bool), make(map[int][]registry.Digest)
	m.batch.reset()
	if err := m.scan.facts.load(m.batch, m.shard, algorithm); err != nil {
		return err
	}
	m.batch.sort()
	if err := m.askDatabase(ctx); err != nil {
		return fmt.Errorf("read table artifact_blob: %w", err)
	}
	var pending sync.WaitGroup
	err := m.readTheRest(ctx, &pending)
	pending.Wait()
	if err != nil {
		return err
	}
	m.saveCache()
	return nil
}

// holder is a repository that has a manifest. What is weak there is a
// manifest that nobody can pull.
type holder struct {
	repo uint32
	weak bool
}

// holders lists the repositories that have the manifest of the records from i
// to j. They are none where the records are no manifest's.
func (m *manifestShard) holders(i, j int, into []holder) []holder {
	into = into[:0]
	for i < j {
		h, end := m.holder(i, j)
		if h.repo != noRepository {
			into = append(into, h)
		}
		i = end
	}
	return into
}

// holder reads the records of one repository.
func (m *manifestShard) holder(i, j int) (h holder, end int) {
	repo := m.batch.get(i).repo()
	var revision, tag, artifact bool
	for end = i; end < j && m.batch.get(end).repo() == repo; end++ {
		switch m.batch.get(end).kind() {
		case kindRevision:
			revision = true
		case kindTag:
			tag = true
		case kindArtifact:
			artifact = true
		}
	}
	if !revision && !tag && !artifact {
		return holder{}, end
	}
	live := revision
	if m.scan.owner == databaseOwnsTags {
		live = artifact
	}
	return holder{repo: repo, weak: !live}, end
}

// askDatabase records the references that the database has.
func (m *manifestShard) askDatabase(ctx context.Context) error {
	s := m.scan
	if s.db == nil || !s.db.era.artifacts {
		return nil
	}
	var holders []holder
	return s.db.eachArtifactBlob(ctx, m.shard, s.scope, func(ab artifactBlob) error {
		if ab.artifact.Algorithm != m.algorithm {
			return nil
		}
		i := m.find(ab.artifact)
		if i < 0 {
			return nil
		}
		holders = m.holders(i, m.batch.group(i), holders)
		if !slices.ContainsFunc(holders, func(h holder) bool { return !h.weak }) {
			return nil // deleted since; its rows stay until the garbage collection
		}
		if ab.artifact == ab.blob { // the row of the manifest itself
			return m.ownRow(ab)
		}
		m.known[i] = true
		if s.opts.Depth != Metadata {
			m.rows[i] = append(m.rows[i], ab.blob)
		}
		return m.record(holders, ab.blob, ab.ref)
	})
}

// ownRow records the size that the database has for a manifest, where the join
// does not read all of table blob.
func (m *manifestShard) ownRow(ab artifactBlob) error {
	if m.scan.scope.all() || ab.ref.size == registry.SizeUnknown {
		return nil
	}
	row := objectRow{size: ab.ref.size, status: "none"}
	return m.scan.refs.add(ab.artifact, noRepository, kindObjectRow, row.encode(nil))
}

// find returns the index of the first record about a digest, or -1.
func (m *manifestShard) find(d registry.Digest) int {
	var buf [maxDigest]byte
	raw := rawDigest(buf[:0], d)
	i := sort.Search(m.batch.len(), func(i int) bool {
		return string(m.batch.get(i).digest()) >= string(raw)
	})
	if i < m.batch.len() && string(m.batch.get(i).digest()) == string(raw) {
		return i
	}
	return -1
}

// record records a reference for every repository that has the manifest.
func (m *manifestShard) record(holders []holder, d registry.Digest, ref reference) error {
	var buf [24]byte
	for _, h := range holders {
		ref.weak = h.weak
		payload := ref.encode(buf[:0])
		if m.dedup.seen(d, h.repo, payload) {
			continue
		}
		if err := m.scan.refs.add(d, h.repo, kindRef, payload); err != nil {
			return err
		}
	}
	return nil
}

// readTheRest goes through the manifests of which the database has told
// nothing, or through all in a deep scan.
func (m *manifestShard) readTheRest(ctx context.Context, pending *sync.WaitGroup) error {
	var holders []holder
	for i := 0; i < m.batch.len(); {
		j := m.batch.group(i)
		holders = m.holders(i, j, holders)
		switch {
		case len(holders) == 0:
		case m.known[i] && m.scan.opts.Depth == Metadata:
			m.scan.opts.Progress.Add(1)
		default:
			task := manifestTask{
				raw: slices.Clone(m.batch.get(i).digest()), holders: slices.Clone(holders),
				known: m.known[i], rows: m.rows[i],
			}
			if err := m.start(ctx, task, pending); err != nil {
				return err
			}
		}
		if m.known[i] {
			m.scan.count.manifests.Add(1)
		}
		i = j
	}
	return nil
}

// manifestTask is a manifest whose references are to be found out.
type manifestTask struct {
	raw     []byte
	holders []holder
	known   bool // by the database already, which is to be compared
	rows    []registry.Digest
}

// start answers from the cache at once, or reads beside the loop.
func (m *manifestShard) start(ctx context.Context, task manifestTask, pending *sync.WaitGroup) error {
	file := m.file(task.raw[0])
	m.filesMu.Lock()
	list, cached := file.get(task.raw)
	m.filesMu.Unlock()
	if cached && m.scan.opts.Depth == Metadata {
		if refs, err := decodeReferences(list); err == nil {
			m.scan.count.cacheHits.Add(1)
			m.scan.opts.Progress.Add(1)
			return m.recordManifest(task, refs)
		}
	}
	pending.Add(1)
	m.gets.Go(func() error {
		defer pending.Done()
		return m.read(ctx, task, file)
	})
	return nil
}
