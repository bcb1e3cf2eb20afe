package cdn

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds how long a server can keep a client away (S85).
const maxRetryAfter = 10 * time.Minute

// retryAfter returns the time that a Retry-After header asks to wait: seconds, or a date, which
// is compared with the server's own clock if there is a Date header. It returns 0 for an invalid
// header.
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

// rayID returns the CF-RAY header for errors and logs. It accepts only a short string of plain
// characters.
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
