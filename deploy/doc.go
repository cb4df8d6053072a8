// Package deploy holds what runs harbordb where Harbor runs: manifests for
// Kubernetes and a service for docker-compose. Its tests read those files and
// run what they say, in the container image, against a real PostgreSQL.
//
// The package has no code of its own and must never be imported. Its tests
// alone need the types of Kubernetes and of compose files.
package deploy
