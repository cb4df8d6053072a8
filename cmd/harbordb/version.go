package main

import (
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

// version and commit are written by the linker of a release, and by nobody
// else; a build from a checkout knows its commit from the Go toolchain.
var version, commit string

// buildInfo is what the binary says of itself.
type buildInfo struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"`
	Modified bool   `json:"modified"` // built from a checkout with changes
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func versionCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:        "version",
		Usage:       "print the version, the commit and the Go version of this binary",
		Description: "Prints what this binary was built from. It connects to nothing.",
		UsageText:   "harbordb version -o json",
		Action: func(*cli.Context) error {
			b := readBuildInfo()
			return s.console.print(b, b.text)
		},
	}
}

func readBuildInfo() buildInfo {
	b := buildInfo{Version: version, Commit: commit, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b.orUnknown()
	}
	if b.Version == "" && info.Main.Version != "(devel)" {
		b.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision" && b.Commit == "":
			b.Commit = setting.Value
		case setting.Key == "vcs.modified":
			b.Modified = setting.Value == "true"
		}
	}
	return b.orUnknown()
}

func (b buildInfo) orUnknown() buildInfo {
	if b.Version == "" {
		b.Version = "development"
	}
	if b.Commit == "" {
		b.Commit = "unknown"
	}
	return b
}

// tool is how the binary names itself in what it writes.
func (b buildInfo) tool() string { return "harbordb " + b.Version }

func (b buildInfo) text(p *page) {
	modified := ""
	if b.Modified {
		modified = ", with changes"
	}
	p.line("harbordb %s (commit %s%s, %s, %s)", b.Version, b.Commit, modified, b.Go, b.Platform)
}
