package cdn

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds how long a server can keep a client away (S85).
const maxRetryAfter = 10 * time.Minute

// retryAfter reads how long a Retry-After header asks to wait: seconds, or a
// date, which is compared with the server's own clock if it tells that. What
// cannot be read is 0.
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseUint(value, 10, 32)
		if err != nil || seconds > uint64(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if theirs, err := http.ParseTime(header.Get("Date")); err == nil {
		now = theirs
	}
	return min(max(until.Sub(now), 0), maxRetryAfter)
}

const maxRayIDBytes = 64

// rayID reads the CF-RAY header (S88), which ends in texts and logs: only a
// short text of plain characters is taken.
func (f *Fetcher) rayID(header http.Header) string {
	value := header.Get("CF-RAY")
	if len(value) > maxRayIDBytes {
		return ""
	}
	for _, c := range []byte(value) {
		if c <= ' ' || c >= 0x7f {
			return ""
		}
	}
	return f.redact.text(value)
}
