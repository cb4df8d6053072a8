package orphans

import (
	"strings"
	"sync"
	"sync/atomic"
)

// repo is one repository, known from storage, the database or both.
type repo struct {
	name string // project/repository…
	// inDatabase and proxy are set before storage is listed.
	inDatabase bool
	proxy      bool // a proxy cache: what is missing is fetched again

	inStorage  atomic.Bool
	unreadable atomic.Bool // some manifest's references are not known
	revisions  atomic.Int64
	artifacts  atomic.Int64
	ghosts     atomic.Int64 // revisions without a row, of which nothing else explains
}

// project and rest split a repository's name as Harbor does.
func splitProject(name string) (project, rest string) {
	project, rest, _ = strings.Cut(name, "/")
	return project, rest
}

// repos gives repositories numbers, from 1 on. Safe for concurrent use.
type repos struct {
	mu     sync.RWMutex
	byName map[string]uint32
	list   []*repo
}

func newRepos() *repos { return &repos{byName: make(map[string]uint32)} }

// id returns the number of a repository, a new one where it has none.
func (r *repos) id(name string) uint32 {
	r.mu.RLock()
	id := r.byName[name]
	r.mu.RUnlock()
	if id != noRepository {
		return id
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if id := r.byName[name]; id != noRepository {
		return id
	}
	name = strings.Clone(name) // it may be a piece of a listing's page
	r.list = append(r.list, &repo{name: name})
	id = uint32(len(r.list))
	r.byName[name] = id
	return id
}

// get returns the repository with a number that id has given.
func (r *repos) get(id uint32) *repo {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.list[id-1]
}

func (r *repos) name(id uint32) string { return r.get(id).name }

// all returns the repositories there are.
func (r *repos) all() []*repo {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.list[:len(r.list):len(r.list)]
}
