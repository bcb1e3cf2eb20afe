package evaluate

import (
	"fmt"
	"slices"
	"strings"
)

// ErrorCode is the reason why an evaluation returned the default value (S15). The zero code means
// that it did not.
type ErrorCode int

// The error codes, numbered as in the official SDKs.
const (
	CodeUnexpected         ErrorCode = -1   // an attribute of the user cannot be read
	CodeNone               ErrorCode = 0    // no error
	CodeInvalidModel       ErrorCode = 1    // an error in the config, see Config.BrokenFlags
	CodeTypeMismatch       ErrorCode = 2    // the default is of another type than the setting
	CodeConfigNotAvailable ErrorCode = 1000 // no config is loaded yet
	CodeNoSuchKey          ErrorCode = 1001 // the config has no such setting
)

// Error is the error of a failed evaluation. It is immutable.
type Error struct {
	// Code is the reason. It is not CodeNone.
	Code ErrorCode

	text   string
	walked bool // text names the path from the evaluated setting: the error is not reused for others
	// The parts of the messages of codes 1000 and 1001, which Error formats on demand.
	key    string
	def    Value
	config *Config
}

func (e *Error) Error() string {
	switch e.Code {
	case CodeConfigNotAvailable:
		return fmt.Sprintf("Config JSON is not present when evaluating setting '%s'. "+
			"Returning the `defaultValue` parameter that you specified in your application: '%s'.", e.key, e.def)
	case CodeNoSuchKey:
		return fmt.Sprintf("Failed to evaluate setting '%s' (the key was not found in config JSON). "+
			"Returning the `defaultValue` parameter that you specified in your application: '%s'. Available keys: [%s].",
			e.key, e.def, quotedList(e.config.Keys(), ", "))
	default:
		return e.text
	}
}

// Event returns the event that reports the error: 1000, 1001, or 1002 with the name of the called
// method, the setting's key and the returned default.
func (e *Error) Event(method, key string, def Value) Event {
	switch e.Code {
	case CodeConfigNotAvailable, CodeNoSuchKey:
		return Event{ID: EventID(e.Code), Message: e.Error()}
	default:
		return Event{ID: EventEvaluationFailed, Message: "Error occurred in the `" + method + "` method while evaluating setting '" + key +
			"'. Returning the `defaultValue` parameter that you specified in your application: '" + def.String() + "'."}
	}
}

// Unwrap returns an [ErrKeyNotFound] for code 1001, and nil for all others.
func (e *Error) Unwrap() error {
	if e.Code != CodeNoSuchKey {
		return nil
	}
	return ErrKeyNotFound{Key: e.key, AvailableKeys: slices.Clone(e.config.Keys())}
}

// ErrKeyNotFound is the error that an [Error] of code 1001 wraps. It has the name and the fields
// of the official Go SDK's error.
type ErrKeyNotFound struct {
	Key           string   // the requested key
	AvailableKeys []string // in the order of the config
}

func (e ErrKeyNotFound) Error() string {
	return fmt.Sprintf("the key '%s' was not found in config JSON; available keys: [%s]", e.Key, quotedList(e.AvailableKeys, ", "))
}

// ParseError is the reason why a config JSON was rejected as a whole (S77).
type ParseError struct {
	// Path is the location in the document; "$" is the whole document.
	Path string
	// Offset is the byte at which the document stops being valid JSON, or -1 if it is valid JSON
	// but not a valid config.
	Offset int64
	// Reason describes what is wrong at that location.
	Reason string
}

func (e *ParseError) Error() string {
	if e.Offset >= 0 {
		return fmt.Sprintf("config JSON: invalid JSON at byte %d: %s", e.Offset, e.Reason)
	}
	return fmt.Sprintf("config JSON: %s: %s", e.Path, e.Reason)
}

// FlagError names a flag whose evaluation can fail, and why.
type FlagError struct {
	// Key is the key of the flag.
	Key string
	// Err is an [*Error].
	Err error
}

func modelError(text string) *Error { return &Error{Code: CodeInvalidModel, text: text} }

var (
	errType            = modelError("Setting type is invalid.")
	errValue           = modelError("Setting value is missing or invalid.")
	errThen            = modelError("Targeting rule THEN part is missing or invalid.")
	errCondition       = modelError("Condition is missing or invalid.")
	errOperator        = modelError("Comparison operator is invalid.")
	errComparisonGone  = modelError("Comparison value is missing.")
	errComparison      = modelError("Comparison value is invalid.")
	errSalt            = modelError("Config JSON salt is missing.")
	errLongSalt        = modelError("Config JSON salt is longer than 1024 bytes.")
	errShare           = modelError("Percentage option percentage is invalid.")
	errShares          = modelError("Sum of percentage option percentages is less than 100.")
	errSegmentRef      = modelError("Segment reference is invalid.")
	errSegmentName     = modelError("Segment name is missing.")
	errPrerequisite    = modelError("Prerequisite flag is missing.")
	errTooDeep         = modelError("Prerequisite flags are nested too deeply.")
	errTooMany         = modelError("Prerequisite flags are evaluated too many times.")
	errUserCodeFailure = &Error{Code: CodeUnexpected, text: "The User Object's GetAttribute method panicked."}
)

// typeMismatches holds the error for each type of setting and of default value.
var typeMismatches = func() (errs [KindFloat + 1][KindFloat + 1]*Error) {
	for setting := KindBool; setting <= KindFloat; setting++ {
		for def := KindBool; def <= KindFloat; def++ {
			name := settingTypeName(setting)
			errs[setting][def] = &Error{Code: CodeTypeMismatch, text: "The type of a setting must match the type of the specified default value. " +
				"Setting's type was " + name + " but the default value's type was " + def.String() + ". " +
				"Please use a default value which corresponds to the setting type " + name + ". " +
				"Learn more: https://configcat.com/docs/sdk-reference/go/#setting-type-mapping"}
		}
	}
	return errs
}()

func settingTypeName(k Kind) string {
	switch k {
	case KindBool:
		return "Boolean"
	case KindString:
		return "String"
	case KindInt:
		return "Int"
	default:
		return "Double"
	}
}

// quotedList joins items as 'a', 'b'.
func quotedList(items []string, separator string) string {
	if len(items) == 0 {
		return ""
	}
	return "'" + strings.Join(items, "'"+separator+"'") + "'"
}
