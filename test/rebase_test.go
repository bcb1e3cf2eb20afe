package test

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
)

// writeEntry writes the official entry as an SDK with a clock of its own does.
func (w *world) writeEntry(fetched time.Time) int64 {
	w.Helper()
	config := w.cdn.Config()
	entry := cachekeys.Entry{FetchTime: fetched.UnixMilli(), ETag: config.ETag(), JSON: config.JSON()}
	if err := w.admin.Set(w.Context(), w.keys.Entry, entry.Append(nil), 0).Err(); err != nil {
		w.Fatal(err)
	}
	return entry.FetchTime
}

// ruleSix is what the bridge's protocol asks for before a follower takes a lower rev.
const ruleSix = 30 * time.Second

// The revs are an hour ahead when Redis loses them and the leaders die: followers take
// the lower revs that come then after what rule 6 asks for, and not sooner.
func TestF10_LowerRevsAreTakenByRuleSixOnly(t *testing.T) {
	scenario(t, func(w *world) {
		w.leader.PollInterval = min(w.leader.PollInterval, 5*time.Second) // an answer of the CDN is part of the rule
		w.processes()
		first, second := w.ready(3)
		w.audit.suspend()
		ahead := w.writeEntry(time.Now().Add(time.Hour))
		w.eventually(w.poll(), "all revs are an hour ahead", func() bool {
			for _, r := range w.readers {
				if r.client.Stats().Rev <= ahead {
					return false
				}
			}
			return true
		})
		first.kill()
		second.kill()
		w.flushAll()
		w.audit.forget()
		w.audit.resume()
		version := w.cdn.Publish()
		w.lead("leader C")
		w.present(w.poll())
		written, bound := time.Now(), ruleSix+2*w.leader.PollInterval+roundTrip
		for _, r := range w.readers {
			r.rebases = 1
			if v := r.version(); v != version-1 {
				w.Errorf("%s took version %d at once", r.name, v)
			}
		}
		w.reached(version, bound)
		w.recovered(written, bound)
		if took := time.Since(written); took < ruleSix-w.leader.RenewInterval {
			w.Errorf("lower revs were taken after %v", took)
		}
		for _, r := range w.readers {
			if s := r.client.Stats(); s.Rebases != 1 || s.Rev >= ahead {
				w.Errorf("%s: %+v", r.name, s)
			}
		}
		w.settle()
	})
}
