package deploy

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// debianPackage is what .goreleaser.yaml and packaging/nfpm.yaml say of the
// package in the same words.
type debianPackage struct {
	Section, Maintainer, Description, Vendor, Homepage, License string
	Recommends                                                  []string
	Contents                                                    []packedFile
}

type packedFile struct {
	Src, Dst string
	FileInfo struct{ Mode int } `json:"file_info"`
}

// Both ways to a release build the same binary and pack the same package.
func TestBothWaysToARelease(t *testing.T) {
	var goreleaser struct {
		Builds []struct {
			Env, Flags, Goos, Goarch, Ldflags []string
		}
		Nfpms []struct {
			debianPackage
			PackageName string `json:"package_name"`
		}
		Sboms []struct{ Args []string }
	}
	var nfpm struct {
		debianPackage
		Name string
	}
	for file, into := range map[string]any{"../.goreleaser.yaml": &goreleaser, "../packaging/nfpm.yaml": &nfpm} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(content, into); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	script, err := os.ReadFile("../scripts/release.sh")
	if err != nil {
		t.Fatal(err)
	}

	packed := goreleaser.Nfpms[0]
	if packed.PackageName != nfpm.Name {
		t.Errorf("packages %s and %s", packed.PackageName, nfpm.Name)
	}
	// The binary is what goreleaser adds by itself.
	nfpm.Contents = slices.DeleteFunc(nfpm.Contents, func(f packedFile) bool { return f.Dst == "/usr/bin/harbordb" })
	if !reflect.DeepEqual(packed.debianPackage, nfpm.debianPackage) {
		t.Errorf("goreleaser packs\n%+v\nmake release\n%+v", packed.debianPackage, nfpm.debianPackage)
	}

	build := goreleaser.Builds[0]
	values := strings.NewReplacer("{{ .Version }}", "$version", "{{ .FullCommit }}", "$commit")
	compile := strings.Join(build.Env, " ") + " GOOS=linux GOARCH=$ARCH go build " + strings.Join(build.Flags, " ") +
		` -ldflags "` + values.Replace(build.Ldflags[0]) + `"`
	for _, want := range []string{compile, "for ARCH in " + strings.Join(build.Goarch, " ") + ";", goreleaser.Sboms[0].Args[1]} {
		if !strings.Contains(string(script), want) {
			t.Errorf("scripts/release.sh has no %s", want)
		}
	}
}
