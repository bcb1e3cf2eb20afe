package cdn

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Codes of [Error], the event ids of S102, with their levels. docs/events.md is generated from these
// lines.
const (
	CodeInvalidSDKKey     = 1100 // error: the CDN answered 403 or 404: the SDK key is wrong (S83)
	CodeUnexpectedStatus  = 1101 // error: the CDN answered another status, or its HTTP redirect was refused (S84)
	CodeTimeout           = 1102 // error: no connection within ConnectTimeout, or no complete answer within HTTPTimeout (S84)
	CodeNetwork           = 1103 // error: the network or the HTTP protocol failed three times, or a redirect's host resolves to a private address (S84, S85)
	CodeRedirectLoop      = 1104 // error: the CDN still redirected after 3 requests (S87)
	CodeInvalidBody       = 1105 // error: the CDN's body is empty, too long, wrongly compressed, not JSON, or rejected by S77 or Check; or its p.u was refused (S81)
	CodeNothingToValidate = 1106 // error: the CDN answered 304 to a request without an ETag (S82)
)

// errRedirectRefused is in the chain of every [Error] caused by a redirect to a URL that the
// configuration does not allow. The code is 1105 if the config JSON contains the URL, 1101 for an
// HTTP redirect, and 1103 if the name resolves to a private address.
var errRedirectRefused = errors.New("redirect refused")

// Error is the error of [Fetcher.Fetch] if the CDN returns no usable answer. Neither its text nor
// any error that it wraps contains the SDK key or a password.
type Error struct {
	Code       int           // 1100–1106
	Status     int           // HTTP status of the last answer; 0: no answer
	RayID      string        // from the CF-RAY header; empty: none
	RetryAfter time.Duration // how long the server asks clients to wait, 0 to 10 minutes (S85)
	Requests   int           // requests that were sent
	Err        error         // the details; nil: none besides Code

	maskedKey string
	timeout   time.Duration
}

// Error returns the text of the official JavaScript SDK's log event (S102), with the ray ID
// (S88). It does not contain Err, which log messages have as an attribute, except for a refused
// redirect: Err then says why, and which setting allows it.
func (e *Error) Error() string {
	text := e.message()
	if e.RayID != "" {
		text += " (Ray ID: " + e.RayID + ")"
	}
	return text
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

func (e *Error) message() string {
	if errors.Is(e.Err, errRedirectRefused) {
		return "Fetching config JSON was redirected to a URL that is not allowed: " + e.Err.Error() + "."
	}
	switch e.Code {
	case CodeInvalidSDKKey:
		return fmt.Sprintf("Your SDK Key seems to be wrong: '%s'. You can find the valid SDK Key at https://app.configcat.com/sdkkey", e.maskedKey)
	case CodeUnexpectedStatus:
		return "Unexpected HTTP response was received while trying to fetch config JSON: " + statusText(e.Status)
	case CodeTimeout:
		text := "Request timed out while trying to fetch config JSON."
		if e.timeout > 0 {
			text += fmt.Sprintf(" Timeout value: %dms", e.timeout.Milliseconds())
		}
		return text
	case CodeNetwork:
		return "Unexpected error occurred while trying to fetch config JSON. It is most likely due to a local network issue. " +
			"Please make sure your application can reach the ConfigCat CDN servers (or your proxy server) over HTTP."
	case CodeRedirectLoop:
		return "Redirection loop encountered while trying to fetch config JSON. Please contact us at https://configcat.com/support/"
	case CodeInvalidBody:
		return "Fetching config JSON was successful but the HTTP response content was invalid."
	case CodeNothingToValidate:
		return "Unexpected HTTP response was received when no config JSON is cached locally: " + statusText(e.Status)
	}
	return "Fetching config JSON failed with error code " + strconv.Itoa(e.Code) + "."
}

// statusText uses the registered phrase, because the server's own could be any text.
func statusText(status int) string {
	text := strconv.Itoa(status)
	if phrase := http.StatusText(status); phrase != "" {
		text += " " + phrase
	}
	return text
}
