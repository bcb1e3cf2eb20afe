package httpd

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/catbridge/catbridge/leader"
)

const (
	// overdue is how late a loop must be to count as hanging: later than swapping or a debugger
	// makes it.
	overdue = time.Minute
	// contactWithin is how long a process stays ready while Redis is unreachable.
	contactWithin = 10 * time.Second
)

type health struct{ leader Leader }

func (h health) live(w http.ResponseWriter, _ *http.Request) {
	var faults []string
	now := time.Now()
	for _, k := range h.leader.Stats().Keys {
		if hangs(k, now) {
			faults = append(faults, fmt.Sprintf("%s: its loop has been hanging since %s", k.Name, k.Due.UTC().Format(time.RFC3339)))
		}
	}
	answer(w, len(faults) == 0, "alive", "not alive", faults)
}

// hangs reports whether the loop of an SDK key has stopped iterating.
func hangs(k leader.KeyStats, now time.Time) bool {
	return k.State != leader.StateStopped && !k.Due.IsZero() && now.Sub(k.Due) > overdue
}

func (h health) ready(w http.ResponseWriter, _ *http.Request) {
	stats, now := h.leader.Stats(), time.Now()
	ready, lines := len(stats.Keys) > 0, make([]string, 0, len(stats.Keys))
	if !ready {
		lines = append(lines, "no SDK key is configured")
	}
	for _, k := range stats.Keys {
		reason := unready(k, now)
		ready = ready && reason == ""
		if reason == "" {
			reason = "ready, " + string(k.State)
		}
		if k.InForce != 0 {
			reason += "; a pin or a forced flag is in force"
		}
		lines = append(lines, k.Name+": "+reason)
	}
	answer(w, ready, "ready", "not ready", lines)
}

// unready returns why this process is not ready for an SDK key, or "".
func unready(k leader.KeyStats, now time.Time) string {
	leading := k.State == leader.StateWarm || k.State == leader.StateSteady
	switch {
	case k.State == leader.StateStopped:
		return "stopped"
	case k.LastContact.IsZero():
		return because("Redis has not answered yet", k.WriteError)
	case k.WriteError != "" && now.Sub(k.LastContact) > contactWithin:
		return because(fmt.Sprintf("Redis has not answered for %v", now.Sub(k.LastContact).Round(time.Second)), k.WriteError)
	case !leading && k.LockHolder == "":
		return "no known leader"
	case k.Rev == 0 && leading:
		return because("leading, but no config yet", k.PollError)
	case k.Rev == 0:
		return "another process leads, but no config yet"
	}
	return ""
}

func because(what, cause string) string {
	if cause == "" {
		return what
	}
	return what + ": " + strings.ReplaceAll(cause, "\n", "; ")
}

func answer(w http.ResponseWriter, good bool, yes, no string, lines []string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	head := yes
	if !good {
		head = no
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = io.WriteString(w, strings.Join(append([]string{head}, lines...), "\n")+"\n")
}
