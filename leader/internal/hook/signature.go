// Package hook authenticates requests of ConfigCat's webhook and detects repeated ones.
package hook

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Window is the greatest difference between a request's time and this process's clock.
const Window = 300 * time.Second

const (
	headerID        = "X-ConfigCat-Webhook-ID"
	headerTimestamp = "X-ConfigCat-Webhook-Timestamp"
	headerSignature = "X-ConfigCat-Webhook-Signature-V1"

	maxIDBytes     = 128
	timestampBytes = 10
	maxSignatures  = 8
)

// ErrForged is returned if no signature of a request is valid.
var ErrForged = errors.New("no signature matches a configured signing key")

// Request holds the headers of a request.
type Request struct {
	ID string // 1 to 128 printable ASCII characters

	timestamp  string
	sent       time.Time
	signatures [][sha256.Size]byte
}

// Parse reads the headers. The signature covers the concatenation of ID, time and body, so a
// sender could move characters from one to the next without invalidating it. But the time must
// have ten digits: moving characters changes its first digits, and the time is then years off.
func Parse(header http.Header) (Request, error) {
	var r Request
	var signatures string
	for _, f := range []struct {
		name string
		dst  *string
	}{{headerID, &r.ID}, {headerTimestamp, &r.timestamp}, {headerSignature, &signatures}} {
		switch values := header.Values(f.name); len(values) {
		case 1:
			*f.dst = values[0]
		case 0:
			return Request{}, fmt.Errorf("the header %s is missing", f.name)
		default:
			return Request{}, fmt.Errorf("duplicate header %s", f.name)
		}
	}
	if r.ID == "" || len(r.ID) > maxIDBytes || strings.ContainsFunc(r.ID, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return Request{}, fmt.Errorf("%s is not 1 to %d printable ASCII characters without spaces", headerID, maxIDBytes)
	}
	seconds, err := strconv.ParseInt(r.timestamp, 10, 64)
	if err != nil || len(r.timestamp) != timestampBytes || strings.Trim(r.timestamp, "0123456789") != "" {
		return Request{}, fmt.Errorf("%s is not a Unix time of %d digits", headerTimestamp, timestampBytes)
	}
	r.sent = time.Unix(seconds, 0)
	r.signatures, err = parseSignatures(signatures)
	return r, err
}

func parseSignatures(text string) (signatures [][sha256.Size]byte, err error) {
	for part := range strings.SplitSeq(text, ",") {
		if len(signatures) == maxSignatures {
			return nil, fmt.Errorf("%s has more than %d signatures", headerSignature, maxSignatures)
		}
		part = strings.Trim(part, " \t")
		if len(part) != base64.StdEncoding.EncodedLen(sha256.Size) || strings.ContainsAny(part, "\r\n") {
			return nil, fmt.Errorf("%s has a signature that is not the base64 of %d bytes", headerSignature, sha256.Size)
		}
		sum, err := base64.StdEncoding.Strict().DecodeString(part)
		if err != nil || len(sum) != sha256.Size {
			return nil, fmt.Errorf("%s has a signature that is not the base64 of %d bytes", headerSignature, sha256.Size)
		}
		signatures = append(signatures, [sha256.Size]byte(sum))
	}
	return signatures, nil
}

// CheckTime returns an error if the request's time differs from this process's clock by more
// than [Window].
func (r Request) CheckTime() error {
	if off := time.Since(r.sent); off.Abs() > Window {
		return fmt.Errorf("%s differs from this server's clock by %v, more than %v", headerTimestamp, off.Abs().Round(time.Second), Window)
	}
	return nil
}

// Verify reads the body and returns ErrForged if none of the keys signed the request. It
// hashes the body while reading and does not keep it. It returns a read error unchanged.
func (r Request) Verify(keys []string, body io.Reader) error {
	macs := make([]hash.Hash, 0, len(keys))
	writers := make([]io.Writer, 0, len(keys))
	for _, key := range keys {
		mac := hmac.New(sha256.New, []byte(key))
		_, _ = io.WriteString(mac, r.ID+r.timestamp)
		macs, writers = append(macs, mac), append(writers, mac)
	}
	if _, err := io.Copy(io.MultiWriter(writers...), body); err != nil {
		return err
	}
	signed := 0
	for _, mac := range macs {
		sum := mac.Sum(nil)
		for _, signature := range r.signatures {
			signed |= subtle.ConstantTimeCompare(sum, signature[:])
		}
	}
	if signed == 0 {
		return ErrForged
	}
	return nil
}
