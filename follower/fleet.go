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

	"github.com/catbridge/catbridge/internal/wire"
)

// fleetOptions configure a feed's reports. The zero value means no reports.
type fleetOptions struct {
	interval time.Duration
	name     string
}

// maxFleetName leaves room for the random part of an id.
const maxFleetName = wire.MaxFleetNameBytes - 1 - idBytes

// idBytes is the length of the random part of an id, in characters of 5 bits each.
const idBytes = 10

func (c Config) fleetOptions() (fleetOptions, error) {
	if c.FleetReport == 0 {
		return fleetOptions{}, nil
	}
	var errs []error
	if c.FleetReport < wire.MinFleetInterval || c.FleetReport > wire.MaxFleetInterval {
		errs = append(errs, fmt.Errorf("Config.FleetReport is %v, want %v to %v, or 0 for none",
			c.FleetReport, wire.MinFleetInterval, wire.MaxFleetInterval))
	}
	if c.Redis == nil {
		errs = append(errs, errors.New("Config.FleetReport needs Config.Redis"))
	}
	name := cmp.Or(c.FleetName, hostName())
	if len(name) > maxFleetName || !wire.ValidFleetName(name) {
		errs = append(errs, fmt.Errorf("Config.FleetName is %.64q, want 1 to %d letters, digits or . _ : / @ ~ + - (ASCII), the first a letter or digit",
			name, maxFleetName))
	}
	return fleetOptions{c.FleetReport.Truncate(time.Millisecond), name}, errors.Join(errs...)
}

// hostName returns the name of this host as a valid fleet name.
func hostName() string {
	host, _ := os.Hostname()
	host = strings.Map(func(r rune) rune {
		if wire.ValidFleetName("x" + string(r)) {
			return r
		}
		return '-'
	}, host)
	host = strings.TrimLeft(host, "._:/@~+-")
	return cmp.Or(host[:min(len(host), maxFleetName)], "unknown")
}

func newFleetID(name string) string { return name + "~" + rand.Text()[:idBytes] }

// libraryVersion returns the version of this module that the program was built with.
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
	if !wire.ValidFleetName(version) { // "(devel)", too
		return "devel"
	}
	return version
}
