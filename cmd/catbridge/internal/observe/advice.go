package observe

import (
	"fmt"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/words"
	"github.com/catbridge/catbridge/leader"
)

// hangsAfter is how late a loop must be to count as hanging.
const hangsAfter = time.Minute

// advice says what is wrong with this process's leader for an SDK key, and what to do. What Redis shows
// is in View.State.Faults.
func advice(k *leader.KeyStats, now time.Time) (lines []string) {
	say := func(advice, format string, args ...any) {
		lines = append(lines, fmt.Sprintf(format, args...)+": "+advice)
	}
	leads := k.State == leader.StateWarm || k.State == leader.StateSteady
	if k.State != leader.StateStopped && !k.Due.IsZero() && now.Sub(k.Due) > hangsAfter {
		say("restart this process, and report its log", "its loop has been hanging since %s", k.Due.UTC().Format(time.RFC3339))
	}
	if k.WriteError != "" {
		say("see the leader's log, or run catbridge doctor", "Redis does not take what this process writes (%s)", k.WriteError)
	}
	if len(k.MissingRights) > 0 {
		say(words.AdviceOnRights, "%s", words.MissingRights("leader", k.MissingRights, false))
	}
	if leads && k.PollError != "" {
		say(words.AdviceOnCDN, "the last poll of the CDN failed (%s)", k.PollError)
	}
	if leads && k.BrokenFlags > 0 {
		say(words.AdviceOnBroken, "%s", words.BrokenFlags(k.BrokenFlags))
	}
	if k.HistoryError != "" {
		say("see the leader's log (event 6119), or grant +xadd, +xrevrange and +xtrim", "changes are not added to the history (%s)", k.HistoryError)
	}
	if k.Suspended != "" {
		lines = append(lines, "what operators ordered has no effect for now, or not all of it: "+k.Suspended)
	}
	return lines
}
