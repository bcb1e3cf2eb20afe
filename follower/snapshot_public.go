package follower

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// Snapshot is what a client held at one moment, with a user: all its evaluations agree
// with each other, whatever arrives meanwhile (S22). It is immutable, does no I/O, waits for
// nothing, and stays good after [Client.Close]. It is safe for concurrent use. Its evaluations
// are logged, and reported to the client's hooks. A nil Snapshot is one of a config that is not
// there.
//
// The user is not copied and must not change while the snapshot is used: a flag that was
// read by [BoolFlag.Get] and the like keeps the value that it had for the user as it was then.
// For a user that has changed, take another snapshot or call [Snapshot.WithUser] again.
//
// A Snapshot must not be copied by value.
type Snapshot struct {
	_ noCopy

	evaluator
	held            *snapshot // nil: there is no config
	state           CacheState
	user            User
	defaultUser     User            // the client's at that moment
	evaluationCache evaluationCache // of this user's values alone
}

// newSnapshot is the one way to make a snapshot: each has an evaluationCache of its own, since the values in it
// are those of its user.
func newSnapshot(v evaluator, held *snapshot, state CacheState, user, defaultUser User) *Snapshot {
	return &Snapshot{evaluator: v, held: held, state: state, user: user, defaultUser: defaultUser}
}

// orEmpty returns the snapshot, or one without a config in place of none.
func orEmpty(s *Snapshot) *Snapshot {
	if s == nil {
		return newSnapshot(evaluator{}, nil, NoFlagData, nil, nil)
	}
	return s
}

// Snapshot gives what there is to evaluate at this moment, for a user; nil: the default one.
// The user must not change while the snapshot is used, see [Snapshot].
// It waits for nothing and refreshes nothing, in the modes AutoPoll and Lazy neither: there,
// wait for [Client.Ready], or call [Client.RefreshIfOlder] before.
func (c *Client) Snapshot(user User) *Snapshot {
	defaultUser := c.user()
	if isNobody(user) {
		user = defaultUser
	}
	return newSnapshot(c.evaluator, c.inForce(), c.CacheState(), user, defaultUser)
}

// NewSnapshot makes a snapshot of plain values, for tests: bools, texts, and numbers, of
// which the whole ones go with decimal defaults, too. The error names values of other
// types. A nil logger stands for slog.Default, from warn on (S100).
func NewSnapshot(logger *slog.Logger, values map[string]any) (*Snapshot, error) {
	config := evaluate.FromValues(values)
	var errs []error
	for _, broken := range config.BrokenFlags() {
		errs = append(errs, fmt.Errorf("follower: flag %q: %w", broken.Key, broken.Err))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if logger == nil {
		logger = eventlog.AtLeast(nil, nil)
	}
	return newSnapshot(evaluator{log: eventlog.New(logger)}, &snapshot{config: config}, HasLocalOverrideFlagDataOnly, nil, nil), nil
}

// WithUser returns a snapshot of the same content for another user; nil: the client's default
// user of the moment when the first snapshot was taken (S11). The user must not change while
// the snapshot is used, see [Snapshot]. The receiver stays as it is.
func (s *Snapshot) WithUser(user User) *Snapshot {
	s = orEmpty(s)
	if isNobody(user) {
		user = s.defaultUser
	}
	return newSnapshot(s.evaluator, s.held, s.state, user, s.defaultUser)
}

// CacheState says what the client had to evaluate then (S47).
func (s *Snapshot) CacheState() CacheState { return orEmpty(s).state }

// FetchTime is when the CDN last gave or confirmed the config, in UTC, as its writer saw
// it; zero: it did not come from the CDN, or there is none.
func (s *Snapshot) FetchTime() time.Time { return orEmpty(s).held.fetchedAt() }

// Config is the config itself; nil: there is none.
func (s *Snapshot) Config() *evaluate.Config { return orEmpty(s).held.content() }

// GetValue gives the value of a setting for the snapshot's user, a bool, string, int or
// float64; nil where it cannot be had, and then an event says why (S14). See [Bool] and the
// like for typed values and defaults.
func (s *Snapshot) GetValue(key string) any {
	s = orEmpty(s)
	if s.hooks.wantsEvaluations() {
		return s.details("Snapshot.GetValue", key, evaluate.Value{}).Value
	}
	return s.value(s.held, "Snapshot.GetValue", key, s.user, evaluate.Value{}).Any()
}

// GetValueDetails is [Snapshot.GetValue] with how the value came about (S15).
func (s *Snapshot) GetValueDetails(key string) EvaluationDetails {
	return s.details("Snapshot.GetValueDetails", key, evaluate.Value{})
}

func (s *Snapshot) details(method, key string, def evaluate.Value) EvaluationDetails {
	s = orEmpty(s)
	var e evaluation
	s.evaluate(&e, s.held, method, key, s.user, def)
	return e.details(key)
}

// GetAllKeys is as [Client.GetAllKeys].
func (s *Snapshot) GetAllKeys() []string {
	s = orEmpty(s)
	return s.listKeys(s.held)
}

// GetAllValues is as [Client.GetAllValues].
func (s *Snapshot) GetAllValues() map[string]any {
	s = orEmpty(s)
	return s.listValues(s.held, "Snapshot.GetAllValues", s.user)
}

// GetAllValueDetails is as [Client.GetAllValueDetails].
func (s *Snapshot) GetAllValueDetails() []EvaluationDetails {
	s = orEmpty(s)
	return s.listDetails(s.held, "Snapshot.GetAllValueDetails", s.user)
}

// GetAllVariationIDs is as [Client.GetAllVariationIDs].
func (s *Snapshot) GetAllVariationIDs() []string {
	s = orEmpty(s)
	return s.listVariationIDs(s.held, "Snapshot.GetAllVariationIDs", s.user)
}

// GetKeyValueForVariationID is as [Client.GetKeyValueForVariationID].
func (s *Snapshot) GetKeyValueForVariationID(id string) (key string, value any) {
	s = orEmpty(s)
	return s.findVariation(s.held, id)
}
