package follower

import (
	"errors"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/cdn"
)

// ErrClosed is the error of calls that a closed client cannot serve.
var ErrClosed = errors.New("follower: the client is closed")

const offlineText = "Client is in offline mode, it cannot initiate HTTP calls."

// ErrOffline is the error of a refresh that only the CDN could serve while the client is
// offline (S21). Its event is 3200.
var ErrOffline = errors.New("follower: " + offlineText)

// FetchError is the error of [Client.Refresh] if the CDN returned no usable answer. Its Code is
// 1100 (unknown SDK key), 1101 (unexpected status), 1102 (timeout), 1103 (network), 1104
// (redirection loop), 1105 (invalid config) or 1106 (not modified, although there is no config).
type FetchError = cdn.Error

// ErrorCode says why an evaluation returned the default value (S15).
type ErrorCode = evaluate.ErrorCode

// ErrKeyNotFound is wrapped by the error of an evaluation whose key is not in the config
// (1001): errors.AsType[follower.ErrKeyNotFound](details.Data.Error).
type ErrKeyNotFound = evaluate.ErrKeyNotFound
