package follower

import (
	"errors"
	"sync/atomic"

	"github.com/catbridge/catbridge/evaluate"
)

// EvaluationErrors counts the evaluations that failed and returned the default, by cause. If
// a method evaluates all settings, each failed setting counts.
type EvaluationErrors struct {
	NoConfig   uint64 // there was no config (1000)
	NoSuchKey  uint64 // the key is not in the config (1001)
	WrongType  uint64 // the default does not have the setting's type
	BrokenFlag uint64 // the setting is invalid in the config
	Other      uint64 // for another reason
}

// failures is the live form of [EvaluationErrors]. Only failed evaluations write to it. A nil
// failures counts nothing.
type failures struct{ noConfig, noSuchKey, wrongType, brokenFlag, other atomic.Uint64 }

func (f *failures) count(err error) {
	if failure, ok := errors.AsType[*evaluate.Error](err); ok {
		f.countCode(failure.Code)
		return
	}
	f.countCode(evaluate.CodeUnexpected)
}

func (f *failures) countCode(code ErrorCode) {
	if f == nil {
		return
	}
	switch code {
	case evaluate.CodeConfigNotAvailable:
		f.noConfig.Add(1)
	case evaluate.CodeNoSuchKey:
		f.noSuchKey.Add(1)
	case evaluate.CodeTypeMismatch:
		f.wrongType.Add(1)
	case evaluate.CodeInvalidModel:
		f.brokenFlag.Add(1)
	default:
		f.other.Add(1)
	}
}

func (f *failures) read() EvaluationErrors {
	if f == nil {
		return EvaluationErrors{}
	}
	return EvaluationErrors{
		NoConfig: f.noConfig.Load(), NoSuchKey: f.noSuchKey.Load(), WrongType: f.wrongType.Load(),
		BrokenFlag: f.brokenFlag.Load(), Other: f.other.Load(),
	}
}
