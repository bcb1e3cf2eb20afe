package repo

import (
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/catbridge/catbridge"

// layout lists the dependencies that a package may have. Tests may have more.
type layout struct {
	own   []string // packages of this module, direct or indirect, each with those in its internal folder
	other []string // prefixes of the paths of directly imported packages
	never []string // packages of the standard library that the package must not import directly
	still []string // those below one of never that it may import
}

// Follower and leader know only the packages in common that are listed for both.
var layouts = map[string]layout{
	"cachekeys":     {own: []string{"internal/wire"}, never: []string{"net", "os", "context", "log", "time/tzdata"}},
	"internal/wire": {other: []string{"github.com/klauspost/compress"}, never: []string{"net", "os", "context", "log", "time/tzdata"}},
	"evaluate": {
		other: []string{"github.com/Masterminds/semver/v3"},
		never: []string{"context", "log", "net", "os", "io/fs", "io/ioutil", "syscall", "embed", "testing"},
		still: []string{"log/slog"}, // for slog.Level
	},
	"evaluate/internal/jsontext": {own: []string{}, never: []string{"context", "log", "net", "os", "io", "reflect", "sync"}},
	"internal/acl": {
		own:   []string{"cachekeys", "internal/limited", "internal/redisnode", "internal/subscription", "internal/version", "internal/wire"},
		other: []string{"github.com/redis/go-redis/v9"},
	},
	"internal/cdn":          {own: []string{"internal/regularfile", "internal/version"}},
	"internal/configserver": {own: []string{}},
	"internal/control":      {own: []string{"evaluate", "internal/wire"}, never: []string{"net", "os", "context", "log"}},
	"internal/evalcase":     {own: []string{"evaluate"}, never: []string{"net", "os", "context"}},
	"internal/eventlog":     {own: []string{}},
	"internal/histogram":    {own: []string{}},
	"internal/hostname":     {own: []string{}},
	"internal/limited":      {own: []string{}, other: []string{"github.com/redis/go-redis/v9"}, never: []string{"net", "os"}},
	"history": {
		own:   []string{"cachekeys", "internal/limited", "internal/patch", "internal/redisnode", "internal/wire"},
		other: []string{"github.com/redis/go-redis/v9"},
	},
	"internal/patch":        {own: []string{"internal/wire"}, other: []string{"github.com/klauspost/compress"}, never: []string{"net", "os", "log"}},
	"internal/regularfile":  {own: []string{}},
	"internal/redisnode":    {own: []string{}, other: []string{"github.com/redis/go-redis/v9"}},
	"internal/stream":       {own: []string{}, never: []string{"log"}},
	"internal/subscription": {own: []string{"internal/redisnode"}, other: []string{"github.com/redis/go-redis/v9"}},
	"internal/version":      {own: []string{}, never: []string{"net", "os"}},
	"internal/watchfile":    {own: []string{}, other: []string{"github.com/fsnotify/fsnotify"}},
	"leader": {
		own: []string{
			"cachekeys", "evaluate", "internal/acl", "internal/cdn", "internal/control", "internal/eventlog", "internal/histogram",
			"internal/limited", "internal/patch", "internal/regularfile", "internal/redisnode", "internal/subscription", "internal/version", "internal/wire",
		},
		other: []string{"github.com/redis/go-redis/v9"},
	},
	"leader/otel": {
		own: []string{
			"cachekeys", "evaluate", "leader", "internal/acl", "internal/cdn", "internal/control", "internal/eventlog", "internal/histogram",
			"internal/limited", "internal/patch", "internal/regularfile", "internal/redisnode", "internal/subscription", "internal/version", "internal/wire",
		},
		other: []string{"go.opentelemetry.io/otel"},
	},
	"leader/internal/script": {
		own:   []string{"cachekeys", "evaluate", "internal/control", "internal/redisnode", "internal/wire"},
		other: []string{"github.com/redis/go-redis/v9"},
	},
	"leader/control": {
		own:   []string{"cachekeys", "evaluate", "internal/control", "internal/limited", "internal/redisnode", "internal/wire", "leader/internal/script"},
		other: []string{"github.com/redis/go-redis/v9"},
	},
	"leader/internal/hook": {own: []string{}, other: []string{"golang.org/x/sync"}},
	"follower": {
		own: []string{
			"cachekeys", "evaluate", "internal/cdn", "internal/control", "internal/eventlog", "internal/histogram",
			"internal/limited", "internal/patch", "internal/regularfile", "internal/redisnode", "internal/subscription", "internal/version", "internal/wire", "internal/watchfile",
		},
		other: []string{"github.com/redis/go-redis/v9", "golang.org/x/sync/singleflight"},
	},
	"follower/internal/feed": {
		own: []string{
			"cachekeys", "evaluate", "follower/internal/eventid", "follower/internal/snapshot", "internal/control", "internal/eventlog", "internal/histogram",
			"internal/limited", "internal/patch", "internal/redisnode", "internal/subscription", "internal/version", "internal/wire",
		},
		other: []string{"github.com/redis/go-redis/v9", "golang.org/x/sync/singleflight"},
		never: []string{"net/http", "os"},
	},
	"follower/internal/snapshot": {
		own:   []string{"evaluate", "internal/wire"},
		never: []string{"context", "log", "net", "os"},
	},
	"follower/internal/eventid": {own: []string{}},
	"gateway": {
		own: []string{
			"cachekeys", "evaluate", "follower", "internal/cdn", "internal/control", "internal/eventlog", "internal/histogram", "internal/hostname",
			"internal/limited", "internal/patch", "internal/regularfile", "internal/redisnode", "internal/stream", "internal/subscription", "internal/version", "internal/wire", "internal/watchfile",
		},
		other: []string{"github.com/klauspost/compress"},
		never: []string{"log", "os"},
	},
	"gateway/internal/ofrep": {own: []string{"evaluate"}, never: []string{"context", "log", "net", "os"}, still: []string{"net/http"}}, // for the statuses
	"follower/followertest": {
		own: []string{
			"cachekeys", "evaluate", "follower", "internal/cdn", "internal/configserver", "internal/control", "internal/eventlog", "internal/histogram",
			"internal/limited", "internal/patch", "internal/regularfile", "internal/redisnode", "internal/subscription", "internal/version", "internal/wire", "internal/watchfile",
		},
		other: []string{"github.com/redis/go-redis/v9", "github.com/alicebob/miniredis/v2"},
	},
	"metrics": {
		own: []string{
			"cachekeys", "evaluate", "follower", "gateway", "leader", "internal/acl", "internal/cdn", "internal/control", "internal/eventlog", "internal/histogram", "internal/hostname",
			"internal/limited", "internal/patch", "internal/regularfile", "internal/redisnode", "internal/stream", "internal/subscription", "internal/version", "internal/wire", "internal/watchfile",
		},
		other: []string{"github.com/prometheus/client_golang"},
	},
	"follower/openfeature": {
		own: []string{
			"cachekeys", "evaluate", "follower", "internal/cdn", "internal/control", "internal/eventlog", "internal/histogram",
			"internal/limited", "internal/patch", "internal/regularfile", "internal/redisnode", "internal/subscription", "internal/version", "internal/wire", "internal/watchfile",
		},
		other: []string{"github.com/open-feature/go-sdk"},
	},
	"cmd/catbridge/internal/answers": {own: []string{"evaluate"}, never: []string{"context", "log", "net", "os", "io"}},
	"cmd/catbridge/internal/demo": {
		own: []string{
			"cachekeys", "evaluate", "follower", "gateway", "history", "leader", "leader/control", "internal/acl", "internal/cdn", "internal/configserver", "internal/control", "internal/eventlog",
			"internal/histogram", "internal/hostname", "internal/limited", "internal/patch", "internal/regularfile", "internal/redisnode", "internal/stream", "internal/subscription", "internal/version", "internal/wire",
			"internal/watchfile", "cmd/catbridge/internal/httpd", "cmd/catbridge/internal/inspect",
			"cmd/catbridge/internal/observe", "cmd/catbridge/internal/orders", "cmd/catbridge/internal/settings", "cmd/catbridge/internal/ui", "cmd/catbridge/internal/words", "internal/evalcase",
			"cmd/catbridge/internal/answers", "cmd/catbridge/internal/localcdn", "cmd/catbridge/internal/redisurl",
			"cmd/catbridge/internal/terminal",
		},
		other: []string{"github.com/redis/go-redis/v9", "github.com/alicebob/miniredis/v2"},
	},
	"cmd/catbridge/internal/doctor": {
		own: []string{
			"cachekeys", "evaluate", "follower", "history", "leader", "internal/acl", "internal/cdn", "internal/control", "internal/eventlog", "internal/histogram", "internal/hostname",
			"internal/limited", "internal/patch", "internal/regularfile", "internal/redisnode", "internal/subscription", "internal/version", "internal/wire", "internal/watchfile",
			"cmd/catbridge/internal/inspect", "cmd/catbridge/internal/redisurl", "cmd/catbridge/internal/settings", "cmd/catbridge/internal/words",
		},
		other: []string{"github.com/redis/go-redis/v9"},
	},
	"cmd/catbridge/internal/httpd": {
		own: []string{
			"cachekeys", "evaluate", "leader", "internal/acl", "internal/cdn", "internal/control", "internal/eventlog", "internal/histogram", "internal/hostname",
			"internal/limited", "internal/patch", "internal/regularfile", "internal/redisnode", "internal/stream", "internal/subscription", "internal/version", "internal/wire",
		},
		other: []string{"github.com/prometheus/client_golang"},
	},
	"cmd/catbridge/internal/inspect": {
		own: []string{
			"cachekeys", "evaluate", "follower", "internal/cdn", "internal/control", "internal/eventlog", "internal/histogram",
			"internal/limited", "internal/patch", "internal/regularfile", "internal/redisnode", "internal/subscription", "internal/version", "internal/wire", "internal/watchfile",
		},
		other: []string{"github.com/redis/go-redis/v9"},
		never: []string{"net", "os"},
	},
	"cmd/catbridge/internal/observe": {
		own: []string{
			"cachekeys", "evaluate", "follower", "history", "internal/cdn", "internal/control", "internal/eventlog", "internal/histogram",
			"internal/limited", "internal/patch", "internal/regularfile", "internal/redisnode", "internal/subscription", "internal/version", "internal/wire", "internal/watchfile",
			"cmd/catbridge/internal/inspect", "cmd/catbridge/internal/redisurl", "cmd/catbridge/internal/words",
			"leader", "internal/acl",
		},
		other: []string{"github.com/redis/go-redis/v9"},
		never: []string{"net", "os"},
	},
	"cmd/catbridge/internal/orders": {
		own: []string{
			"cachekeys", "evaluate", "follower", "history", "internal/cdn", "internal/control", "internal/eventlog", "internal/histogram",
			"internal/limited", "internal/patch", "internal/regularfile", "internal/redisnode", "internal/subscription", "internal/version", "internal/wire", "internal/watchfile",
			"cmd/catbridge/internal/inspect", "cmd/catbridge/internal/redisurl", "cmd/catbridge/internal/settings", "cmd/catbridge/internal/words",
			"leader", "leader/control", "internal/acl", "internal/hostname",
		},
		other: []string{"github.com/redis/go-redis/v9"},
		never: []string{"net", "os"},
	},
	"cmd/catbridge/internal/ui": {
		own: []string{
			"cachekeys", "evaluate", "follower", "history", "internal/cdn", "internal/control", "internal/eventlog", "internal/histogram",
			"internal/limited", "internal/patch", "internal/regularfile", "internal/redisnode", "internal/subscription", "internal/version", "internal/wire", "internal/watchfile",
			"cmd/catbridge/internal/inspect", "cmd/catbridge/internal/answers", "cmd/catbridge/internal/observe", "cmd/catbridge/internal/orders", "cmd/catbridge/internal/redisurl",
			"cmd/catbridge/internal/settings", "cmd/catbridge/internal/terminal", "cmd/catbridge/internal/words",
			"leader", "leader/control", "internal/acl", "internal/evalcase", "internal/hostname", "internal/stream",
		},
		other: []string{"github.com/redis/go-redis/v9"},
	},
	"cmd/catbridge/internal/words": {
		own: []string{
			"cachekeys", "evaluate", "follower", "history", "internal/cdn", "internal/control", "internal/eventlog", "internal/histogram",
			"internal/limited", "internal/patch", "internal/regularfile", "internal/redisnode", "internal/subscription", "internal/version", "internal/wire", "internal/watchfile",
			"cmd/catbridge/internal/inspect",
		},
		never: []string{"net", "os", "context", "log"},
	},
	"cmd/catbridge/internal/localcdn": {
		own: []string{"evaluate", "internal/cdn", "internal/configserver", "internal/regularfile", "internal/version", "internal/watchfile", "internal/wire"},
	},
	"cmd/catbridge/internal/terminal": {own: []string{}, other: []string{"golang.org/x/term"}, never: []string{"net"}},
	"cmd/catbridge/internal/zlog":     {own: []string{}, other: []string{"github.com/rs/zerolog"}, never: []string{"net", "os"}},
	"cmd/catbridge/internal/redisurl": {own: []string{"cachekeys", "internal/regularfile", "internal/wire"}, other: []string{"github.com/redis/go-redis/v9"}},
	"cmd/catbridge/internal/settings": {
		own: []string{
			"cachekeys", "evaluate", "leader", "internal/acl", "internal/cdn", "internal/control", "internal/eventlog", "internal/histogram", "internal/hostname",
			"internal/limited", "internal/patch", "internal/regularfile", "internal/redisnode", "internal/subscription", "internal/version", "internal/wire",
			"cmd/catbridge/internal/redisurl",
		},
		other: []string{"go.yaml.in/yaml/v3", "github.com/spf13/pflag", "github.com/redis/go-redis/v9"},
	},
}

// listDeps lists the dependencies of a package, and the package itself, last.
func listDeps(t *testing.T, dir string) []goPackage {
	t.Helper()
	return goList(t, "-deps", "./"+dir)
}

func TestPackagesDependOnlyOnWhatTheLayoutAllows(t *testing.T) {
	for dir, allowed := range layouts {
		t.Run(strings.ReplaceAll(dir, "/", "_"), func(t *testing.T) {
			t.Parallel()
			for _, fault := range allowed.faults(dir, listDeps(t, dir)) {
				t.Error(fault)
			}
		})
	}
}

func TestEveryLibraryOfTheProductHasALayout(t *testing.T) {
	for _, fault := range unlisted(goList(t, "work")) {
		t.Error(fault)
	}
}

// libraries are the folders of the product's libraries, with those below them.
var libraries = []string{"cachekeys", "cmd/catbridge/internal", "evaluate", "follower", "gateway", "internal", "leader", "metrics"}

// unlisted returns the libraries of the product that have no layout.
func unlisted(list []goPackage) []string {
	var faults []string
	for _, p := range list {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		if _, listed := layouts[name]; !listed && slices.ContainsFunc(libraries, within(name)) &&
			!within(name)("internal/testenv") {
			faults = append(faults, name+" has no layout: add it to layouts")
		}
	}
	return faults
}

// faults returns the dependencies of the package in dir that its layout does not allow.
func (l layout) faults(dir string, deps []goPackage) []string {
	var faults []string
	byPath := map[string]goPackage{}
	for _, p := range deps {
		byPath[p.ImportPath] = p
		name, own := strings.CutPrefix(p.ImportPath, module+"/")
		owner, _, _ := strings.Cut(name, "/internal/")
		if own && owner != dir && name != dir && !slices.Contains(l.own, owner) && !slices.Contains(l.own, name) {
			faults = append(faults, dir+" is built from "+name)
		}
	}
	for _, imported := range byPath[path.Join(module, dir)].Imports {
		p := byPath[imported]
		switch {
		case strings.HasPrefix(imported, module+"/"):
		case p.Standard || imported == "C":
			if slices.ContainsFunc(l.never, within(imported)) && !slices.Contains(l.still, imported) {
				faults = append(faults, dir+" imports "+imported)
			}
		case !slices.ContainsFunc(l.other, within(imported)):
			faults = append(faults, dir+" imports "+imported)
		}
	}
	return faults
}

// within returns a function that reports whether the imported path is at or below the
// given one.
func within(imported string) func(string) bool {
	return func(above string) bool {
		return imported == above || strings.HasPrefix(imported, above+"/")
	}
}

func TestLayoutFaultsAreDetected(t *testing.T) {
	deps := []goPackage{
		{ImportPath: "net/http", Standard: true},
		{ImportPath: "fmt", Standard: true},
		{ImportPath: "example.com/lib/sub"},
		{ImportPath: "example.com/lib2"},
		{ImportPath: module + "/follower"},
		{ImportPath: module + "/follower/internal/feed"},
		{ImportPath: module + "/cachekeys"},
		{ImportPath: module + "/cachekeys/internal/codec"},
		{ImportPath: module + "/x/internal/own"},
		{ImportPath: module + "/x", Imports: []string{
			"net/http", "fmt", "example.com/lib/sub", "example.com/lib2", module + "/cachekeys",
		}},
	}
	rules := layout{own: []string{"cachekeys"}, other: []string{"example.com/lib"}, never: []string{"net"}}
	want := []string{"x is built from follower", "x is built from follower/internal/feed", "x imports net/http", "x imports example.com/lib2"}
	if have := rules.faults("x", deps); !slices.Equal(have, want) {
		t.Errorf("found %q\nwant %q", have, want)
	}
}

func TestUnlistedLibrariesAreDetected(t *testing.T) {
	var list []goPackage
	for _, name := range []string{"leader", "leader/x", "internal/x", "internal/testenv/x", "test/x", "examples/x", "cmd/catbridge", "metrics2"} {
		list = append(list, goPackage{ImportPath: module + "/" + name})
	}
	want := []string{"leader/x has no layout: add it to layouts", "internal/x has no layout: add it to layouts"}
	if have := unlisted(list); !slices.Equal(have, want) {
		t.Errorf("found %q\nwant %q", have, want)
	}
}

// scenarioImports are the packages that the scenarios of test/e2e may use, besides those of
// internal/testenv: the public ones, the rights, and the formats in Redis.
var scenarioImports = []string{
	"cachekeys", "evaluate", "follower", "follower/followertest", "history", "leader", "leader/control",
	"internal/acl", "internal/redisnode", "internal/wire", "test/harness",
}

// The product does not use what only tests need. The helpers of all tests do not depend on the
// product, except for the core of the stand-in CDN. Only scenarios use the harness.
func TestCodeOfTestsStaysInItsRooms(t *testing.T) {
	for _, fault := range roomFaults(goList(t, "work")) {
		t.Error(fault)
	}
}

// roomFaults returns the imports that the folders of the tests do not allow.
func roomFaults(list []goPackage) []string {
	var faults []string
	helpers := func(name string) bool { return within(name)("internal/testenv") }
	tests := func(name string) bool { return within(name)("test") }
	for _, p := range list {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			imported, own := strings.CutPrefix(imported, module+"/")
			if !own || imported == name {
				continue
			}
			inCode := slices.Contains(p.Imports, module+"/"+imported)
			if inCode && !tests(name) && !helpers(name) && (tests(imported) || helpers(imported)) ||
				inCode && helpers(name) && !helpers(imported) && imported != "internal/configserver" ||
				name == "test/e2e" && !helpers(imported) && !slices.Contains(scenarioImports, imported) ||
				name != "test/e2e" && imported == "test/harness" {
				faults = append(faults, name+" imports "+imported)
			}
		}
	}
	return faults
}

func TestRoomFaultsAreDetected(t *testing.T) {
	of := func(names ...string) (all []string) {
		for _, name := range names {
			all = append(all, module+"/"+name)
		}
		return all
	}
	list := []goPackage{
		{ImportPath: module + "/leader", Imports: of("cachekeys", "internal/testenv/fakecdn"), TestImports: of("internal/testenv/fakecdn", "test/harness")},
		{ImportPath: module + "/internal/testenv/fakecdn", Imports: of("internal/testenv/missing", "evaluate"), TestImports: of("evaluate")},
		{ImportPath: module + "/test/e2e", TestImports: of("leader", "internal/testenv/fakecdn", "test/harness", "internal/cdn")},
		{ImportPath: module + "/test/repo", XTestImports: of("internal/testenv/program", "test/harness")},
	}
	want := []string{
		"leader imports internal/testenv/fakecdn", "leader imports test/harness",
		"internal/testenv/fakecdn imports evaluate",
		"test/e2e imports internal/cdn",
		"test/repo imports test/harness",
	}
	if have := roomFaults(list); !slices.Equal(slices.Compact(have), want) {
		t.Errorf("found %q\nwant %q", have, want)
	}
}
