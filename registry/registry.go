// Package registry knows how a Docker registry lays its data out in storage:
// the names of its objects, what a link and a manifest hold, where the tree
// begins, and how the registry's own configuration spells its storage.
//
// It parses and it builds names; it reads storage only to find where the tree
// begins, through a blobstore.Reader, and it never writes, never asks a
// registry over HTTP and never reads the environment.
//
// The tree (distribution 2.0 to 3.1, registry/storage/paths.go), below the
// root docker/registry/v2, where <digest> is an algorithm and a hexadecimal
// value as two components ("+", "." and ";" in an algorithm become "/"):
//
//	blobs/<algorithm>/<first two digits>/<hex>/data          layers, configs, manifests
//	repositories/<name>/_manifests/revisions/<digest>/link   a manifest of the repository
//	repositories/<name>/_manifests/revisions/<digest>/signatures/<digest>/link   2.0 to 2.4
//	repositories/<name>/_manifests/tags/<tag>/current/link   what the tag means now
//	repositories/<name>/_manifests/tags/<tag>/index/<digest>/link   what it has meant
//	repositories/<name>/_layers/<digest>/link                a layer or config of the repository
//	repositories/<name>/_uploads/<id>/startedat              an upload under way
//	repositories/<name>/_uploads/<id>/data
//	repositories/<name>/_uploads/<id>/hashstates/<algorithm>/<offset>
//
// A link is a file that holds a digest and nothing else, not even a newline.
// Names nest: library, library/app and library/app/cache may all be
// repositories. No component of a name begins with "_", but a tag may be
// called "_layers": a path is split at the first component that begins so.
package registry
