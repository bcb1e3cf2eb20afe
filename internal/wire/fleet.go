package wire

import (
	"math"
	"strings"
	"time"
)

const (
	// MaxFleetNameBytes is the greatest length of a follower's ID, version and state in a
	// [FleetReport].
	MaxFleetNameBytes = 64
	// MaxFleetBytes is the greatest size of a report.
	MaxFleetBytes = 384
	// FleetHashBytes is the length of the prefix of a [ContentHash] in a report. It is long
	// enough to tell contents apart.
	FleetHashBytes = 16

	// MinFleetInterval and MaxFleetInterval bound the interval of reports.
	MinFleetInterval = 5 * time.Second
	MaxFleetInterval = 5 * time.Minute
	// FleetExpiry is the age at which followers that report remove a report.
	FleetExpiry = 3 * MaxFleetInterval

	// MaxFleetLag is the longest lag of a report. A longer one does not fit into a time.Duration.
	MaxFleetLag = math.MaxInt64 / 1_000_000 * time.Millisecond

	fleetVersion = "cb1"
	fleetFields  = 8
	nothing      = "-"
)

// FleetReport is a follower's report about itself, a member of the sorted set cachekeys.Keys.Fleet.
// Its score is the time of the report in Unix ms, by the follower's estimate of Redis's clock.
//
//	cb1 {id} {version} {state} {interval in ms} {rev} {prefix of the hash} {lag in ms}
//
// An unknown value is written as "-". Later versions append their fields.
//
// A report with other content is another member, so the follower must remove its previous report.
// It does so with ZREMRANGEBYSCORE and that report's score, which contains a random fraction of a
// millisecond, as both limits. If a previous report remains, for instance because a reply was
// lost, readers use the one with the higher score, and the other is removed after FleetExpiry.
type FleetReport struct {
	ID       string        // of this start of the follower
	Version  string        // of the follower's program or library
	State    string        // of its connection
	Interval time.Duration // between reports; whole milliseconds
	Rev      int64         // of the content in force; 0: no content
	Hash     string        // the first [FleetHashBytes] of the content's hash; empty if and only if Rev is 0
	// Lag is how long the last change took, from the leader's request to the CDN until the
	// follower put the config in force. Whole milliseconds; 0: unknown.
	Lag   time.Duration
	Extra string // fields that this version does not know, unchanged
}

// ValidFleetName reports whether s is a valid ID, version or state: 1 to [MaxFleetNameBytes]
// ASCII letters, digits and . _ : / @ ~ + -, starting with a letter or digit.
func ValidFleetName(s string) bool {
	if s == "" || len(s) > MaxFleetNameBytes || !isAlphanumeric(s[0]) {
		return false
	}
	for i := range len(s) {
		if !isAlphanumeric(s[i]) && strings.IndexByte("._:/@~+-", s[i]) < 0 {
			return false
		}
	}
	return true
}

// FleetName returns the name in a follower's ID, which is the name, a tilde and a random part. It
// returns an ID of another form whole.
func FleetName(id string) string {
	if i := strings.LastIndexByte(id, '~'); i > 0 {
		return id[:i]
	}
	return id
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// ParseFleetReport reads a member of the sorted set. All errors are [*ParseError].
func ParseFleetReport(member string) (FleetReport, error) {
	if len(member) > MaxFleetBytes {
		return FleetReport{}, malformed("fleet report", "", "over the size limit")
	}
	part := strings.SplitN(member, " ", fleetFields+1)
	if part[0] != fleetVersion {
		return FleetReport{}, malformed("fleet report", "version", "want "+fleetVersion+", have "+Excerpt(part[0]))
	}
	if len(part) < fleetFields {
		return FleetReport{}, malformed("fleet report", "", "too few fields")
	}
	r := FleetReport{ID: part[1], Version: part[2], State: part[3], Hash: part[6]}
	for i, name := range []string{1: "id", 2: "version", 3: "state"} {
		if i > 0 && !ValidFleetName(part[i]) {
			return FleetReport{}, malformed("fleet report", name, "bad value "+Excerpt(part[i]))
		}
	}
	var interval, lag int64
	for _, n := range []struct {
		name      string
		text      string
		dst       *int64
		low, high int64
	}{
		{"interval", part[4], &interval, MinFleetInterval.Milliseconds(), MaxFleetInterval.Milliseconds()},
		{"rev", part[5], &r.Rev, MinRev, MaxRev},
		{"lag", part[7], &lag, 1, MaxFleetLag.Milliseconds()},
	} {
		value, ok := ParseNumber(n.text)
		switch {
		case n.text == nothing && n.name != "interval":
		case !ok || value < n.low || value > n.high:
			return FleetReport{}, malformed("fleet report", n.name, "bad value "+Excerpt(n.text))
		}
		*n.dst = value
	}
	r.Interval, r.Lag = time.Duration(interval)*time.Millisecond, time.Duration(lag)*time.Millisecond
	if r.Hash == nothing {
		r.Hash = ""
	} else if len(r.Hash) != FleetHashBytes || !isHex(r.Hash) {
		return FleetReport{}, malformed("fleet report", "hash", "bad value "+Excerpt(r.Hash))
	}
	if (r.Rev == 0) != (r.Hash == "") {
		return FleetReport{}, malformed("fleet report", "hash", "want both rev and hash, or neither")
	}
	if len(part) > fleetFields {
		r.Extra = part[fleetFields]
		if !plainFields(r.Extra) {
			return FleetReport{}, malformed("fleet report", "fields", "bad value "+Excerpt(r.Extra))
		}
	}
	return r, nil
}

func plainFields(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}

// Append appends the report in its stored form.
func (r FleetReport) Append(dst []byte) []byte {
	dst = append(dst, fleetVersion...)
	for _, text := range []string{r.ID, r.Version, r.State} {
		dst = append(append(dst, ' '), text...)
	}
	dst = appendKnown(dst, r.Interval.Milliseconds())
	dst = appendKnown(dst, r.Rev)
	if r.Hash == "" {
		dst = append(append(dst, ' '), nothing...)
	} else {
		dst = append(append(dst, ' '), r.Hash[:min(len(r.Hash), FleetHashBytes)]...)
	}
	dst = appendKnown(dst, r.Lag.Milliseconds())
	if r.Extra != "" {
		dst = append(append(dst, ' '), r.Extra...)
	}
	return dst
}

func appendKnown(dst []byte, n int64) []byte {
	dst = append(dst, ' ')
	if n == 0 {
		return append(dst, nothing...)
	}
	return AppendNumber(dst, n)
}
