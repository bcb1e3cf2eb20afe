package follower

import "github.com/catbridge/catbridge/evaluate"

// Flag is a setting with its type and its default, defined once for all its uses (S24): see
// [Bool], [Int], [Float] and [String].
type Flag interface {
	// Key is the setting's key.
	Key() string
	// GetValue returns the value in a snapshot, or the default if the evaluation fails.
	GetValue(snapshot *Snapshot) any
	// GetValueDetails is GetValue with the details of the evaluation.
	GetValueDetails(snapshot *Snapshot) EvaluationDetails
}

// FlagOf is a [Flag] of type T. It is comparable and safe for concurrent use. The zero value has an
// empty key.
type FlagOf[T bool | int | float64 | string] struct {
	key  string
	def  T
	id   flagID
	kind *flagKind[T] // nil: f is the zero value
}

type (
	// BoolFlag is a bool setting.
	BoolFlag = FlagOf[bool]
	// IntFlag is a whole-number setting.
	IntFlag = FlagOf[int]
	// FloatFlag is a decimal-number setting.
	FloatFlag = FlagOf[float64]
	// StringFlag is a string setting.
	StringFlag = FlagOf[string]
)

// Bool returns a flag for a bool setting. If an evaluation fails, its value is def.
func Bool(key string, def bool) BoolFlag { return boolFlags.flag(key, def) }

// Int returns a flag for a whole-number setting. If an evaluation fails, its value is def.
func Int(key string, def int) IntFlag { return intFlags.flag(key, def) }

// Float returns a flag for a decimal-number setting. If an evaluation fails, its value is def.
func Float(key string, def float64) FloatFlag { return floatFlags.flag(key, def) }

// String returns a flag for a string setting. If an evaluation fails, its value is def.
func String(key string, def string) StringFlag { return stringFlags.flag(key, def) }

// Key implements [Flag].
func (f FlagOf[T]) Key() string { return f.key }

// Get returns the value in a snapshot. If the evaluation fails or snapshot is nil, it returns the
// default.
func (f FlagOf[T]) Get(snapshot *Snapshot) T {
	if snapshot == nil {
		return f.def
	}
	if !snapshot.hooks.wantsEvaluations() {
		if v := snapshot.evaluationCache.get(f.id); v != nil {
			return f.kind.fromValue(*v)
		}
	}
	f = f.orEmpty()
	return f.kind.fromValue(snapshot.flag(f.id, f.kind.get, f.key, f.kind.toValue(f.def)))
}

// GetWithDetails is Get with the details of the evaluation.
func (f FlagOf[T]) GetWithDetails(snapshot *Snapshot) (d EvaluationDetailsOf[T]) {
	f, snapshot = f.orEmpty(), orEmpty(snapshot)
	d.Value = f.kind.fromValue(snapshot.valueDetails(&d.Data, snapshot.held, f.kind.getWithDetails, f.key, snapshot.user, f.kind.toValue(f.def)))
	return d
}

// GetValue implements [Flag].
func (f FlagOf[T]) GetValue(snapshot *Snapshot) any { return f.Get(snapshot) }

// GetValueDetails implements [Flag].
func (f FlagOf[T]) GetValueDetails(snapshot *Snapshot) EvaluationDetails {
	d := f.GetWithDetails(snapshot)
	return EvaluationDetails{Data: d.Data, Value: d.Value}
}

// orEmpty replaces the zero value by a flag with an empty key.
func (f FlagOf[T]) orEmpty() FlagOf[T] {
	if f.kind != nil {
		return f
	}
	var kind any = stringFlags
	switch any(f.def).(type) {
	case bool:
		kind = boolFlags
	case int:
		kind = intFlags
	case float64:
		kind = floatFlags
	}
	return kind.(*flagKind[T]).flag("", f.def)
}

// flagKind contains what flags of one type have in common.
type flagKind[T bool | int | float64 | string] struct {
	get, getWithDetails string // names of the methods, for events
	toValue             func(T) evaluate.Value
	fromValue           func(evaluate.Value) T
}

var (
	boolFlags = &flagKind[bool]{"BoolFlag.Get", "BoolFlag.GetWithDetails", evaluate.BoolValue, evaluate.Value.Bool}
	intFlags  = &flagKind[int]{
		"IntFlag.Get", "IntFlag.GetWithDetails",
		func(i int) evaluate.Value { return evaluate.IntValue(int64(i)) },
		func(v evaluate.Value) int { return int(v.Int()) },
	}
	floatFlags  = &flagKind[float64]{"FloatFlag.Get", "FloatFlag.GetWithDetails", evaluate.FloatValue, evaluate.Value.Float}
	stringFlags = &flagKind[string]{"StringFlag.Get", "StringFlag.GetWithDetails", evaluate.StringValue, evaluate.Value.String}
)

func (k *flagKind[T]) flag(key string, def T) FlagOf[T] {
	return FlagOf[T]{key, def, idOf(k.toValue(def).Kind(), key), k}
}
