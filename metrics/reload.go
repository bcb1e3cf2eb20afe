package metrics

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// ReloadCollector exports whether the settings that a process last read are in effect. All methods
// are safe for concurrent use.
type ReloadCollector struct{ rejected atomic.Bool }

// NewReloadCollector returns a collector for a process that applied the settings of its start.
func NewReloadCollector() *ReloadCollector { return new(ReloadCollector) }

// Applied records that the settings that were read last are in effect.
func (c *ReloadCollector) Applied() { c.rejected.Store(false) }

// Rejected records that the settings that were read last are invalid, so that earlier ones stay in
// effect.
func (c *ReloadCollector) Rejected() { c.rejected.Store(true) }

// Describe implements [prometheus.Collector].
func (c *ReloadCollector) Describe(to chan<- *prometheus.Desc) { reloadFamily.describe(to) }

// Collect implements [prometheus.Collector].
func (c *ReloadCollector) Collect(to chan<- prometheus.Metric) {
	r := reload{applied: !c.rejected.Load()}
	reloadFamily.collect(to, &r, time.Now())
}

// reload is the outcome of the last reload.
type reload struct{ applied bool }

var reloadFamily = newFamily(nil, []metric[reload]{{
	name: "catbridge_settings_last_reload_successful", kind: gauge,
	help: "1 if the settings that the process last read are in effect; 0 if they were rejected, so that earlier settings stay in effect.",
	read: either(func(r *reload) bool { return r.applied }),
}})
