package follower

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
)

// fleetOptions say whether and how a feed reports. The zero value: not at all.
type fleetOptions struct {
	interval time.Duration
	name     string
}

// maxFleetName leaves room for what makes an id of a name.
const maxFleetName = cachekeys.MaxFleetNameBytes - 1 - idBytes

// idBytes is how many random characters, of 5 bits each, make an id of a name.
const idBytes = 10

// fleetOptions checks what the config says of reports.
func (c Config) fleetOptions() (fleetOptions, error) {
	if c.FleetReport == 0 {
		return fleetOptions{}, nil
	}
	var errs []error
	if c.FleetReport < cachekeys.MinFleetInterval || c.FleetReport > cachekeys.MaxFleetInterval {
		errs = append(errs, fmt.Errorf("Config.FleetReport is %v, want %v to %v, or 0 for none",
			c.FleetReport, cachekeys.MinFleetInterval, cachekeys.MaxFleetInterval))
	}
	if c.Redis == nil {
		errs = append(errs, errors.New("Config.FleetReport needs Config.Redis"))
	}
	name := cmp.Or(c.FleetName, hostName())
	if len(name) > maxFleetName || !cachekeys.ValidFleetName(name) {
		errs = append(errs, fmt.Errorf("Config.FleetName is %.64q, want 1 to %d letters and digits of ASCII and . _ : / @ ~ + -, beginning with one of the former",
			name, maxFleetName))
	}
	return fleetOptions{c.FleetReport.Truncate(time.Millisecond), name}, errors.Join(errs...)
}

// hostName is the name of this host as far as a report can hold it.
func hostName() string {
	host, _ := os.Hostname()
	host = strings.Map(func(r rune) rune {
		if cachekeys.ValidFleetName("x" + string(r)) {
			return r
		}
		return '-'
	}, host)
	host = strings.TrimLeft(host, "._:/@~+-")
	return cmp.Or(host[:min(len(host), maxFleetName)], "unknown")
}

// newFleetID gives an id that no other follower has.
func newFleetID(name string) string { return name + "~" + rand.Text()[:idBytes] }

// libraryVersion is the version of this module in the program that it is built into.
func libraryVersion() string {
	const module = "github.com/catbridge/catbridge"
	version := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Path == module {
			version = info.Main.Version
		}
		for _, dep := range info.Deps {
			if dep.Path == module {
				version = dep.Version
			}
		}
	}
	if !cachekeys.ValidFleetName(version) { // "(devel)", too
		return "devel"
	}
	return version
}
