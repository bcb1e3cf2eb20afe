package follower

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/cdn"
)

// ErrClosed is the error of calls that a closed client cannot serve (S2).
var ErrClosed = errors.New("follower: the client is closed")

const offlineText = "Client is in offline mode, it cannot initiate HTTP calls."

// ErrOffline is the error of a refresh that only the CDN could serve while the client is
// offline (S21). Its event is 3200.
var ErrOffline = errors.New("follower: " + offlineText)

// FetchError is the error of [Client.Refresh] if the CDN returned no usable answer. Neither its
// text nor an error that it wraps contains the SDK key or a password (S103).
type FetchError struct {
	// Code is the event id: 1100 (unknown SDK key), 1101 (unexpected status), 1102 (timeout), 1103
	// (network), 1104 (redirection loop), 1105 (invalid config) or 1106 (not modified, although
	// the client has no config).
	Code       int
	Status     int           // HTTP status of the last answer; 0: no answer
	RayID      string        // from the CF-RAY header (S88); empty: none
	RetryAfter time.Duration // how long the CDN asks clients to wait, 0 to 10 minutes (S85)
	Requests   int           // requests that were sent
	Err        error         // the details; nil: none besides Code

	text string
}

// Error returns the message of the event (S102).
func (e *FetchError) Error() string {
	return cmp.Or(e.text, fmt.Sprintf("Fetching config JSON failed with error code %d.", e.Code))
}

// Unwrap returns Err.
func (e *FetchError) Unwrap() error { return e.Err }

// asFetchError converts the error of an answer that is not usable, and returns others unchanged.
func asFetchError(err error) error {
	e, ok := errors.AsType[*cdn.Error](err)
	if !ok {
		return err
	}
	return &FetchError{
		Code: e.Code, Status: e.Status, RayID: e.RayID, RetryAfter: e.RetryAfter, Requests: e.Requests, Err: e.Err, text: e.Error(),
	}
}

// ErrorCode says why an evaluation returned the default value (S15).
type ErrorCode = evaluate.ErrorCode

// ErrKeyNotFound is wrapped by the error of an evaluation whose key is not in the config
// (1001): errors.AsType[follower.ErrKeyNotFound](details.Data.Error).
type ErrKeyNotFound = evaluate.ErrKeyNotFound
