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

// BoolFlag is a bool setting.
type BoolFlag struct {
	key string
	def bool
	id  flagID
}

// Bool returns a flag for a bool setting. If an evaluation fails, its value is def.
func Bool(key string, def bool) BoolFlag { return BoolFlag{key, def, idOf(evaluate.KindBool, key)} }

// Key implements [Flag].
func (f BoolFlag) Key() string { return f.key }

// Get returns the value in a snapshot. If the evaluation fails or snapshot is nil, it returns the
// default.
func (f BoolFlag) Get(snapshot *Snapshot) bool {
	if snapshot == nil {
		return f.def
	}
	if v := snapshot.cachedValue(f.id); v != nil {
		return v.Bool()
	}
	return snapshot.flag(f.id, "BoolFlag.Get", f.key, evaluate.BoolValue(f.def)).Bool()
}

// GetWithDetails is Get with the details of the evaluation.
func (f BoolFlag) GetWithDetails(snapshot *Snapshot) (d BoolEvaluationDetails) {
	snapshot = orEmpty(snapshot)
	d.Value = snapshot.valueDetails(&d.Data, snapshot.held, "BoolFlag.GetWithDetails", f.key, snapshot.user, evaluate.BoolValue(f.def)).Bool()
	return d
}

// GetValue implements [Flag].
func (f BoolFlag) GetValue(snapshot *Snapshot) any { return f.Get(snapshot) }

// GetValueDetails implements [Flag].
func (f BoolFlag) GetValueDetails(snapshot *Snapshot) EvaluationDetails {
	d := f.GetWithDetails(snapshot)
	return EvaluationDetails{Data: d.Data, Value: d.Value}
}

// IntFlag is a whole-number setting.
type IntFlag struct {
	key string
	def int
	id  flagID
}

// Int returns a flag for a whole-number setting. If an evaluation fails, its value is def.
func Int(key string, def int) IntFlag { return IntFlag{key, def, idOf(evaluate.KindInt, key)} }

// Key implements [Flag].
func (f IntFlag) Key() string { return f.key }

// Get returns the value in a snapshot. If the evaluation fails or snapshot is nil, it returns the
// default.
func (f IntFlag) Get(snapshot *Snapshot) int {
	if snapshot == nil {
		return f.def
	}
	if v := snapshot.cachedValue(f.id); v != nil {
		return int(v.Int())
	}
	return int(snapshot.flag(f.id, "IntFlag.Get", f.key, evaluate.IntValue(int64(f.def))).Int())
}

// GetWithDetails is Get with the details of the evaluation.
func (f IntFlag) GetWithDetails(snapshot *Snapshot) (d IntEvaluationDetails) {
	snapshot = orEmpty(snapshot)
	d.Value = int(snapshot.valueDetails(&d.Data, snapshot.held, "IntFlag.GetWithDetails", f.key, snapshot.user, evaluate.IntValue(int64(f.def))).Int())
	return d
}

// GetValue implements [Flag].
func (f IntFlag) GetValue(snapshot *Snapshot) any { return f.Get(snapshot) }

// GetValueDetails implements [Flag].
func (f IntFlag) GetValueDetails(snapshot *Snapshot) EvaluationDetails {
	d := f.GetWithDetails(snapshot)
	return EvaluationDetails{Data: d.Data, Value: d.Value}
}

// FloatFlag is a decimal-number setting.
type FloatFlag struct {
	key string
	def float64
	id  flagID
}

// Float returns a flag for a decimal-number setting. If an evaluation fails, its value is def.
func Float(key string, def float64) FloatFlag {
	return FloatFlag{key, def, idOf(evaluate.KindFloat, key)}
}

// Key implements [Flag].
func (f FloatFlag) Key() string { return f.key }

// Get returns the value in a snapshot. If the evaluation fails or snapshot is nil, it returns the
// default.
func (f FloatFlag) Get(snapshot *Snapshot) float64 {
	if snapshot == nil {
		return f.def
	}
	if v := snapshot.cachedValue(f.id); v != nil {
		return v.Float()
	}
	return snapshot.flag(f.id, "FloatFlag.Get", f.key, evaluate.FloatValue(f.def)).Float()
}

// GetWithDetails is Get with the details of the evaluation.
func (f FloatFlag) GetWithDetails(snapshot *Snapshot) (d FloatEvaluationDetails) {
	snapshot = orEmpty(snapshot)
	d.Value = snapshot.valueDetails(&d.Data, snapshot.held, "FloatFlag.GetWithDetails", f.key, snapshot.user, evaluate.FloatValue(f.def)).Float()
	return d
}

// GetValue implements [Flag].
func (f FloatFlag) GetValue(snapshot *Snapshot) any { return f.Get(snapshot) }

// GetValueDetails implements [Flag].
func (f FloatFlag) GetValueDetails(snapshot *Snapshot) EvaluationDetails {
	d := f.GetWithDetails(snapshot)
	return EvaluationDetails{Data: d.Data, Value: d.Value}
}

// StringFlag is a string setting.
type StringFlag struct {
	key string
	def string
	id  flagID
}

// String returns a flag for a string setting. If an evaluation fails, its value is def.
func String(key string, def string) StringFlag {
	return StringFlag{key, def, idOf(evaluate.KindString, key)}
}

// Key implements [Flag].
func (f StringFlag) Key() string { return f.key }

// Get returns the value in a snapshot. If the evaluation fails or snapshot is nil, it returns the
// default.
func (f StringFlag) Get(snapshot *Snapshot) string {
	if snapshot == nil {
		return f.def
	}
	if v := snapshot.cachedValue(f.id); v != nil {
		return v.String()
	}
	return snapshot.flag(f.id, "StringFlag.Get", f.key, evaluate.StringValue(f.def)).String()
}

// GetWithDetails is Get with the details of the evaluation.
func (f StringFlag) GetWithDetails(snapshot *Snapshot) (d StringEvaluationDetails) {
	snapshot = orEmpty(snapshot)
	d.Value = snapshot.valueDetails(&d.Data, snapshot.held, "StringFlag.GetWithDetails", f.key, snapshot.user, evaluate.StringValue(f.def)).String()
	return d
}

// GetValue implements [Flag].
func (f StringFlag) GetValue(snapshot *Snapshot) any { return f.Get(snapshot) }

// GetValueDetails implements [Flag].
func (f StringFlag) GetValueDetails(snapshot *Snapshot) EvaluationDetails {
	d := f.GetWithDetails(snapshot)
	return EvaluationDetails{Data: d.Data, Value: d.Value}
}
