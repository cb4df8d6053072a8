package s3_test

import (
	"io"
	"log"
	"os"
	"testing"

	"github.com/harbordb/harbordb/internal/registrytest"
)

func TestMain(m *testing.M) {
	// net/http reports there that OpenStack sends a few bytes too many
	// after answers without a body.
	log.SetOutput(io.Discard)
	os.Exit(registrytest.Main(m.Run))
}
