package orphans_test

import (
	"os"
	"testing"

	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/registrytest"
)

func TestMain(m *testing.M) {
	if os.Getenv(memoryTags) != "" {
		os.Exit(syntheticScan())
	}
	os.Exit(registrytest.Main(func() int { return dbtest.Main(m) }))
}
