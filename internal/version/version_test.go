package version

import (
	"runtime/debug"
	"testing"
)

func TestTheVersionIsThatOfTheModuleInTheProgram(t *testing.T) {
	root := func(version string) []*debug.Module {
		return []*debug.Module{{Path: "example.com/other", Version: "v9.0.0"}, {Path: module, Version: version}, {Path: module + "/metrics", Version: "v8.0.0"}}
	}
	replaced := func(by debug.Module) []*debug.Module {
		return []*debug.Module{{Path: module, Version: "v0.0.0", Replace: &by}}
	}
	service := debug.Module{Path: "example.com/service", Version: "v3.0.0"}
	program := func(version string) debug.Module {
		return debug.Module{Path: module + "/cmd/catbridge", Version: version}
	}
	for name, test := range map[string]struct {
		info debug.BuildInfo
		want string
	}{
		"a service": {debug.BuildInfo{Main: service, Deps: root("v1.2.3")}, "v1.2.3"},
		"a service with a copy of the repository":    {debug.BuildInfo{Main: service, Deps: replaced(debug.Module{Path: "../catbridge"})}, "devel"},
		"a service with another module in its place": {debug.BuildInfo{Main: service, Deps: replaced(debug.Module{Path: "example.com/fork", Version: "v1.2.4"})}, "v1.2.4"},
		"the program, installed by go install":       {debug.BuildInfo{Main: program("v1.2.3"), Deps: root("v1.2.3")}, "v1.2.3"},
		"the program, built in a checkout":           {debug.BuildInfo{Main: program("v0.0.0-20260102030405-0123456789ab+dirty"), Deps: root("(devel)")}, "v0.0.0-20260102030405-0123456789ab+dirty"},
		"the program, built without revisions":       {debug.BuildInfo{Main: program("(devel)"), Deps: root("(devel)")}, "devel"},
		"a program of the root module":               {debug.BuildInfo{Main: debug.Module{Path: module, Version: "v1.2.3"}}, "v1.2.3"},
		"a module with a similar name":               {debug.BuildInfo{Main: debug.Module{Path: module + "-plus", Version: "v3.0.0"}}, "devel"},
		"nothing of it":                              {debug.BuildInfo{Main: service}, "devel"},
	} {
		t.Run(name, func(t *testing.T) {
			if have := of(&test.info); have != test.want {
				t.Errorf("%q, want %q", have, test.want)
			}
		})
	}
}

func TestTheVersionInACheckoutIsUnknown(t *testing.T) {
	if have, number := String(), Number(); have != "devel" || number != "devel" {
		t.Errorf("%q, %q", have, number)
	}
}
