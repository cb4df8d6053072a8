package mysql

import (
	"os"
	"testing"

	"github.com/harbordb/harbordb/internal/dbtest"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }
