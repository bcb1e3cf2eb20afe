package follower

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/catbridge/catbridge/follower/internal/feed"
	"github.com/catbridge/catbridge/internal/wire"
)

func (c Config) reports() (feed.Reports, error) {
	if c.FleetReport == 0 {
		return feed.Reports{}, nil
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
	if len(name) > feed.MaxReportName || !wire.ValidFleetName(name) {
		errs = append(errs, fmt.Errorf("Config.FleetName is %.64q, want 1 to %d letters, digits or . _ : / @ ~ + - (ASCII), the first a letter or digit",
			name, feed.MaxReportName))
	}
	return feed.Reports{Interval: c.FleetReport.Truncate(time.Millisecond), Name: name}, errors.Join(errs...)
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
	return cmp.Or(host[:min(len(host), feed.MaxReportName)], "unknown")
}
