// Package version returns the version of catbridge that is part of the running program. Its only
// source is the tag of the release: the go command records the version of a module that it downloads,
// and a build from a checkout passes it to the linker.
package version

import (
	"runtime/debug"
	"strings"
	"sync"
)

const module = "github.com/catbridge/catbridge"

// unknown is the version of a program that is built from a checkout, or with a module that is
// replaced by a folder.
const unknown = "devel"

// release is set by the linker when a program is built from a checkout, for which the go command
// records no version: -X github.com/catbridge/catbridge/internal/version.release=v1.2.3.
var release string

// String returns the version, such as v1.2.3, or "devel" if it is unknown.
func String() string { return linked() }

var linked = sync.OnceValue(func() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		return of(info)
	}
	return unknown
})

// Number returns the version without its v, such as 1.2.3.
func Number() string { return strings.TrimPrefix(String(), "v") }

// of returns the version of the root module, or else that of a program of this repository: all
// modules of the repository are released together.
func of(info *debug.BuildInfo) string {
	for _, dep := range info.Deps {
		if dep.Path != module {
			continue
		}
		if dep.Replace != nil {
			dep = dep.Replace
		}
		if isKnown(dep.Version) {
			return dep.Version
		}
	}
	if path := info.Main.Path; (path == module || strings.HasPrefix(path, module+"/")) && isKnown(info.Main.Version) {
		return info.Main.Version
	}
	return unknown
}

func isKnown(version string) bool { return version != "" && version != "(devel)" }
