package deploy

import (
	"os"
	"testing"

	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/registrytest"
)

func TestMain(m *testing.M) {
	os.Exit(registrytest.Main(func() int {
		defer removeImage()
		return dbtest.Main(m)
	}))
}
