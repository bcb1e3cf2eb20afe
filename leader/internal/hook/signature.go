package leader

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

const (
	headerHookID        = "X-ConfigCat-Webhook-ID"
	headerHookTimestamp = "X-ConfigCat-Webhook-Timestamp"
	headerHookSignature = "X-ConfigCat-Webhook-Signature-V1"

	maxHookIDBytes     = 128
	hookTimestampBytes = 10
	maxHookSignatures  = 8
)

// hookCall holds the headers of a webhook request.
type hookCall struct {
	id, timestamp string
	sent          time.Time
	signatures    [][sha256.Size]byte
}

// parseHookCall reads the headers. The signature covers the concatenation of ID, time and
// body, so a sender could move characters from one to the next without invalidating it. But
// the time must have ten digits: moving characters changes its first digits, and the time is
// then years off.
func parseHookCall(header http.Header) (hookCall, error) {
	var c hookCall
	var signatures string
	for _, f := range []struct {
		name string
		dst  *string
	}{{headerHookID, &c.id}, {headerHookTimestamp, &c.timestamp}, {headerHookSignature, &signatures}} {
		switch values := header.Values(f.name); len(values) {
		case 1:
			*f.dst = values[0]
		case 0:
			return hookCall{}, fmt.Errorf("the header %s is missing", f.name)
		default:
			return hookCall{}, fmt.Errorf("duplicate header %s", f.name)
		}
	}
	if c.id == "" || len(c.id) > maxHookIDBytes || strings.ContainsFunc(c.id, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return hookCall{}, fmt.Errorf("%s is not 1 to %d printable ASCII characters without spaces", headerHookID, maxHookIDBytes)
	}
	seconds, err := strconv.ParseInt(c.timestamp, 10, 64)
	if err != nil || len(c.timestamp) != hookTimestampBytes || strings.Trim(c.timestamp, "0123456789") != "" {
		return hookCall{}, fmt.Errorf("%s is not a Unix time of %d digits", headerHookTimestamp, hookTimestampBytes)
	}
	c.sent = time.Unix(seconds, 0)
	c.signatures, err = parseSignatures(signatures)
	return c, err
}

func parseSignatures(text string) (signatures [][sha256.Size]byte, err error) {
	for part := range strings.SplitSeq(text, ",") {
		if len(signatures) == maxHookSignatures {
			return nil, fmt.Errorf("%s has more than %d signatures", headerHookSignature, maxHookSignatures)
		}
		part = strings.Trim(part, " \t")
		if len(part) != base64.StdEncoding.EncodedLen(sha256.Size) || strings.ContainsAny(part, "\r\n") {
			return nil, fmt.Errorf("%s has a signature that is not the base64 of %d bytes", headerHookSignature, sha256.Size)
		}
		sum, err := base64.StdEncoding.Strict().DecodeString(part)
		if err != nil || len(sum) != sha256.Size {
			return nil, fmt.Errorf("%s has a signature that is not the base64 of %d bytes", headerHookSignature, sha256.Size)
		}
		signatures = append(signatures, [sha256.Size]byte(sum))
	}
	return signatures, nil
}

var errForged = errors.New("no signature matches a configured signing key")

// verify reads the body and returns errForged if none of the keys signed the request. It
// hashes the body while reading and does not keep it. It returns a read error unchanged.
func (c hookCall) verify(keys []string, body io.Reader) error {
	macs := make([]hash.Hash, 0, len(keys))
	writers := make([]io.Writer, 0, len(keys))
	for _, key := range keys {
		mac := hmac.New(sha256.New, []byte(key))
		_, _ = io.WriteString(mac, c.id+c.timestamp)
		macs, writers = append(macs, mac), append(writers, mac)
	}
	if _, err := io.Copy(io.MultiWriter(writers...), body); err != nil {
		return err
	}
	signed := 0
	for _, mac := range macs {
		sum := mac.Sum(nil)
		for _, signature := range c.signatures {
			signed |= subtle.ConstantTimeCompare(sum, signature[:])
		}
	}
	if signed == 0 {
		return errForged
	}
	return nil
}
