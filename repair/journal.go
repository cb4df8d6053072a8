package repair

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"time"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/internal/fault"
)

// journalFormat is the version that this code writes; a newer one is refused.
const journalFormat = 1

// The objects of one repair, below repairs/<id>/ of the store. They are
// written in this order, each durable before the next step begins; the rows
// are read from the database only to tell what happened between two of them.
const (
	journalPrefix = "repairs/"
	rowsName      = "rows.jsonl"     // the rows, before and after, one a line
	planName      = "plan.json"      // the plan; from here on there is a repair
	committedName = "committed.json" // after COMMIT
	undoingName   = "undoing.json"   // before the COMMIT of an undo
	undoneName    = "undone.json"    // after it
)

// Journal keeps the plan and the before-images of every repair in a store. It
// holds old rows of the database: the store protects it like a snapshot.
type Journal struct {
	store  blobstore.Store
	random io.Reader
	tool   string
}

// NewJournal returns the journal in a store. random makes IDs unique; tool is
// the harbordb that writes, such as "harbordb 1.0.0".
func NewJournal(store blobstore.Store, random io.Reader, tool string) *Journal {
	return &Journal{store: store, random: random, tool: tool}
}

// record is plan.json.
type record struct {
	Format int     `json:"format"`
	ID     ID      `json:"id"`
	Tool   string  `json:"tool"`
	Plan   *Plan   `json:"plan"` // its rows are in rows.jsonl
	Tables []Table `json:"tables"`
	Rows   int     `json:"rows"`
	Size   int64   `json:"rows_size"`
	SHA256 string  `json:"rows_sha256"`

	changes changes
	marks   map[string]mark // those that are there
}

// mark is committed.json, undoing.json or undone.json.
type mark struct {
	Time    time.Time `json:"time"` // by the server's clock
	Rows    int       `json:"rows"`
	Skipped int       `json:"skipped,omitempty"` // rows that an undo left as they are
}

func (id ID) key(name string) string { return journalPrefix + string(id) + "/" + name }

// begin makes the plan durable. When it returns, the repair is planned.
func (j *Journal) begin(ctx context.Context, p *Plan) (*record, error) {
	id, err := newID(p.Made, j.random)
	if err != nil {
		return nil, err
	}
	r := &record{Format: journalFormat, ID: id, Tool: j.tool, Plan: p.head(), Tables: []Table{}, changes: p.changes()}
	for _, t := range p.tables {
		r.Tables = append(r.Tables, t.table)
	}
	if err := j.writeRows(ctx, r, p); err != nil {
		return nil, errors.Join(err, j.remove(ctx, id))
	}
	if err := j.putJSON(ctx, id.key(planName), blobstore.New, r); err != nil {
		return nil, errors.Join(err, j.remove(ctx, id))
	}
	return r, nil
}

// head is the plan without what rows.jsonl holds.
func (p *Plan) head() *Plan {
	head := *p
	head.LeftAlone = nil
	if p.Version == nil {
		head.Rows = nil
	}
	return &head
}

// writeRows writes rows.jsonl and notes its size and digest in r.
func (j *Journal) writeRows(ctx context.Context, r *record, p *Plan) error {
	sum := sha256.New()
	err := j.put(ctx, r.ID.key(rowsName), blobstore.New, func(w io.Writer) error {
		counted := &countingWriter{w: io.MultiWriter(w, sum)}
		if err := encodeRows(counted, p); err != nil {
			return err
		}
		r.Size = counted.n
		return nil
	})
	r.Rows = len(p.Rows)
	r.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return err
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// put writes one object and returns when it is durable.
func (j *Journal) put(ctx context.Context, key string, mode blobstore.PutMode, fill func(io.Writer) error) error {
	w, err := j.store.Create(ctx, key, mode)
	if err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	if err := fill(w); err != nil {
		return fmt.Errorf("write the journal: %w", errors.Join(err, w.Abort()))
	}
	if err := w.Commit(); err != nil {
		return fmt.Errorf("write the journal: %w", errors.Join(err, w.Abort()))
	}
	return nil
}

func (j *Journal) putJSON(ctx context.Context, key string, mode blobstore.PutMode, value any) error {
	return j.put(ctx, key, mode, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(value)
	})
}

// mark writes one of the marks.
func (j *Journal) mark(ctx context.Context, id ID, name string, m mark) error {
	return j.putJSON(ctx, id.key(name), blobstore.Replace, m)
}

// remove takes a repair that changed nothing out of the journal, its plan
// first: without that there is no repair.
func (j *Journal) remove(ctx context.Context, id ID) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	for _, name := range []string{planName, rowsName} {
		if err := j.store.Delete(ctx, id.key(name)); err != nil {
			return fmt.Errorf("repair %s changed nothing, but its journal could not be removed: %w", id, err)
		}
	}
	return nil
}

// load reads one repair and checks it.
func (j *Journal) load(ctx context.Context, id ID) (*record, error) {
	r, err := j.head(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := j.readRows(ctx, r); err != nil {
		return nil, fault.Failedf("journal of repair %s: %w", id, err).
			WithHint("the journal is damaged; restore its folder %s%s from a copy of the store", journalPrefix, id)
	}
	return r, nil
}

// head reads the plan and the marks of a repair, and no rows.
func (j *Journal) head(ctx context.Context, id ID) (*record, error) {
	var r record
	if err := j.getJSON(ctx, id.key(planName), &r); err != nil {
		return nil, fmt.Errorf("journal of repair %s: %w", id, err)
	}
	if r.Format < 1 || r.Format > journalFormat {
		return nil, fault.Refusedf("journal of repair %s has format %d; this harbordb reads up to %d", id, r.Format, journalFormat).
			WithHint("use the harbordb that made it, or a newer one")
	}
	if err := r.valid(id); err != nil {
		return nil, fault.Failedf("journal of repair %s: %s: %w", id, planName, err)
	}
	r.marks = map[string]mark{}
	for _, name := range []string{committedName, undoingName, undoneName} {
		var m mark
		err := j.getJSON(ctx, id.key(name), &m)
		if errors.Is(err, blobstore.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("journal of repair %s: %w", id, err)
		}
		r.marks[name] = m
	}
	return &r, nil
}

// valid refuses a plan that nobody wrote: what follows relies on it.
func (r *record) valid(id ID) error {
	switch {
	case r.ID != id || r.Plan == nil:
		return errors.New("it is not a plan of that repair")
	case dialects[r.Plan.Target.Engine] == nil:
		return fmt.Errorf("there is no engine %q", r.Plan.Target.Engine)
	case r.Plan.Version != nil && (r.Plan.Version.From.Engine != r.Plan.Target.Engine || len(r.Plan.Rows) != 1 || len(r.Tables) != 0):
		return errors.New("its change of the schema version is not whole")
	case r.Plan.Version == nil && len(r.Plan.Rows) != 0:
		return errors.New("it has rows of its own")
	}
	for _, t := range r.Tables {
		if t.keyAt() < 0 {
			return fmt.Errorf("table %q has no column %q", t.Name, t.Key)
		}
	}
	return nil
}

func (j *Journal) getJSON(ctx context.Context, key string, value any) error {
	body, err := j.store.Get(ctx, key, 0)
	if err != nil {
		return err
	}
	defer body.Close()
	data, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("read %s: %w", key, err)
	}
	if err := json.Unmarshal(data, value); err != nil {
		return fmt.Errorf("read %s: %w", key, err)
	}
	return nil
}

// readRows reads rows.jsonl into r and compares it with its digest.
func (j *Journal) readRows(ctx context.Context, r *record) error {
	body, err := j.store.Get(ctx, r.ID.key(rowsName), 0)
	if err != nil {
		return err
	}
	defer body.Close()
	for _, t := range r.Tables {
		r.changes.tables = append(r.changes.tables, tableChanges{table: t})
	}
	r.changes.version = r.Plan.Version
	sum := sha256.New()
	if err := r.decodeRows(io.TeeReader(body, sum)); err != nil {
		return err
	}
	return r.checkRows(sum)
}

func (r *record) checkRows(sum hash.Hash) error {
	if got := hex.EncodeToString(sum.Sum(nil)); got != r.SHA256 {
		return fmt.Errorf("%s does not have the digest that the plan names", rowsName)
	}
	if n := len(r.Plan.Rows); n != r.Rows {
		return fmt.Errorf("%s has %d rows, the plan names %d", rowsName, n, r.Rows)
	}
	return nil
}

// Resolve returns the repair that a person names: by ID, by a unique prefix of
// one, or as latest.
func (j *Journal) Resolve(ctx context.Context, name string) (ID, error) {
	ids, err := j.ids(ctx)
	if err != nil {
		return "", err
	}
	var fits []ID
	for _, id := range ids {
		if strings.HasPrefix(string(id), name) {
			fits = append(fits, id)
		}
	}
	switch {
	case len(ids) == 0:
		return "", fault.Usagef("there is no repair in %s", j.store).WithHint("check --store")
	case name == "latest":
		return ids[len(ids)-1], nil
	case name == "" || len(fits) == 0:
		return "", fault.Usagef("there is no repair %q in %s", name, j.store).WithHint("harbordb repair ls lists them")
	case len(fits) > 1:
		return "", fault.Usagef("%q fits %d repairs, among them %s and %s", name, len(fits), fits[0], fits[1]).WithHint("write more of the ID")
	}
	return fits[0], nil
}

// ids lists the repairs that have a plan, oldest first.
func (j *Journal) ids(ctx context.Context) ([]ID, error) {
	var ids []ID
	err := j.store.List(ctx, blobstore.Range{Prefix: journalPrefix}, func(o blobstore.Object) error {
		id, name, _ := strings.Cut(strings.TrimPrefix(o.Key, journalPrefix), "/")
		if name == planName && idForm.MatchString(id) {
			ids = append(ids, ID(id))
		}
		return nil
	})
	if err != nil && !errors.Is(err, blobstore.ErrNotFound) {
		return nil, fmt.Errorf("list the journal in %s: %w", j.store, err)
	}
	return ids, nil
}
