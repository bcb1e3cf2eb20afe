package ofrep

import "net/http"

// Code is an error code of OpenFeature.
type Code string

// The codes of answers.
const (
	ParseError          Code = "PARSE_ERROR"           // the body is not valid, or the flag in the config
	InvalidContext      Code = "INVALID_CONTEXT"       // the evaluation context is not valid
	TargetingKeyMissing Code = "TARGETING_KEY_MISSING" // the flag needs one, and the context has none
	FlagNotFound        Code = "FLAG_NOT_FOUND"
	NotReady            Code = "PROVIDER_NOT_READY" // there is no config yet, or none that may be served
	General             Code = "GENERAL"
)

// Failure is an answer with an error. Clients recognize it by the members errorCode and, for a
// single flag, key.
type Failure struct {
	Status  int    // HTTP status of the answer
	Key     string // of the flag; empty: the request is for many flags
	Code    Code
	Details string // for people
}

// Invalid returns the failure of a request that is not valid.
func Invalid(code Code, details string) *Failure {
	return &Failure{Status: http.StatusBadRequest, Code: code, Details: details}
}

// For returns the failure as an answer to a request for one flag.
func (f Failure) For(key string) *Failure {
	f.Key = key
	return &f
}

// JSON returns the body of the answer.
func (f *Failure) JSON() []byte { return f.append(nil) }

func (f *Failure) append(dst []byte) []byte {
	dst = append(dst, '{')
	if f.Key != "" {
		dst = append(appendQuote(append(dst, `"key":`...), f.Key), ',')
	}
	dst = appendQuote(append(dst, `"errorCode":`...), string(f.Code))
	dst = appendQuote(append(dst, `,"errorDetails":`...), cut(f.Details))
	return append(dst, '}')
}

// maxDetails bounds the text of a failure, in bytes.
const maxDetails = 1 << 10

func cut(text string) string {
	if len(text) <= maxDetails {
		return text
	}
	end := maxDetails
	for end > 0 && text[end]&0xC0 == 0x80 { // within a character
		end--
	}
	return text[:end] + "…"
}
