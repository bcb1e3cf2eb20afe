package follower

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower/internal/snapshot"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// Snapshot is a client's config at one time, with a user. All its evaluations use the same
// config, whatever the client receives later (S22). It is immutable, does no I/O, never waits,
// and remains usable after [Client.Close]. It is safe for concurrent use. Its evaluations are
// logged and reported to the client's hooks. A nil Snapshot behaves like one without a config.
//
// The user is not copied and must not change while the snapshot is used: [FlagOf.Get] caches the
// value of a flag. For a user that has changed, take another snapshot or call
// [Snapshot.WithUser] again.
//
// A Snapshot must not be copied by value.
type Snapshot struct {
	evaluator
	held            *snapshot.Snapshot // nil: the client has no config
	state           CacheState
	user            User
	defaultUser     User            // the client's default user at that time
	evaluationCache evaluationCache // of this user's values alone
}

// newSnapshot is the only way to make a Snapshot: each has its own evaluationCache.
func newSnapshot(v evaluator, held *snapshot.Snapshot, state CacheState, user, defaultUser User) *Snapshot {
	return &Snapshot{evaluator: v, held: held, state: state, user: user, defaultUser: defaultUser}
}

// orEmpty replaces nil by a snapshot without a config.
func orEmpty(s *Snapshot) *Snapshot {
	if s == nil {
		return newSnapshot(evaluator{}, nil, NoFlagData, nil, nil)
	}
	return s
}

// Snapshot returns a snapshot of the config in force, for a user. If user is nil, it uses the
// default user. It neither waits nor refreshes. In the modes AutoPoll and Lazy wait for
// [Client.Ready] or call [Client.RefreshIfOlder] first.
func (c *Client) Snapshot(user User) *Snapshot {
	defaultUser := c.user()
	if isNilUser(user) {
		user = defaultUser
	}
	return newSnapshot(c.evaluator, c.inForce(), c.CacheState(), user, defaultUser)
}

// NewSnapshot returns a snapshot of values, for tests: bools, strings and numbers. A whole
// number can be evaluated with a decimal default, too. The error names all values of other
// types. If logger is nil, NewSnapshot uses slog.Default and level warn (S100).
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
	return newSnapshot(evaluator{log: eventlog.New(logger)}, &snapshot.Snapshot{Config: config}, HasLocalOverrideFlagDataOnly, nil, nil), nil
}

// WithUser returns a snapshot of the same config for another user. If user is nil, it uses the
// client's default user at the time of [Client.Snapshot] (S11). WithUser does not change the
// receiver.
func (s *Snapshot) WithUser(user User) *Snapshot {
	s = orEmpty(s)
	if isNilUser(user) {
		user = s.defaultUser
	}
	return newSnapshot(s.evaluator, s.held, s.state, user, s.defaultUser)
}

// CacheState returns the client's cache state at the time of the snapshot (S47).
func (s *Snapshot) CacheState() CacheState { return orEmpty(s).state }

// FetchTime returns when the CDN last returned or confirmed the config, in UTC, by the clock of
// its writer. It is zero if the snapshot has no config, or one that does not come from the CDN.
func (s *Snapshot) FetchTime() time.Time { return orEmpty(s).held.FetchedAt() }

// Config returns the config, or nil if there is none.
func (s *Snapshot) Config() *evaluate.Config { return orEmpty(s).held.Content() }

// GetValue returns the value of a setting for the snapshot's user: a bool, string, int or
// float64. If the evaluation fails, it returns nil and an event says why (S14). For typed
// values and defaults see [Bool] and the like.
func (s *Snapshot) GetValue(key string) any {
	s = orEmpty(s)
	if s.hooks.wantsEvaluations() {
		return s.details("Snapshot.GetValue", key, evaluate.Value{}).Value
	}
	return s.value(s.held, "Snapshot.GetValue", key, s.user, evaluate.Value{}).Any()
}

// GetValueDetails is [Snapshot.GetValue] with the details of the evaluation (S15).
func (s *Snapshot) GetValueDetails(key string) EvaluationDetails {
	return s.details("Snapshot.GetValueDetails", key, evaluate.Value{})
}

func (s *Snapshot) details(method, key string, def evaluate.Value) EvaluationDetails {
	s = orEmpty(s)
	var e evaluation
	s.evaluate(&e, s.held, method, key, s.user, def)
	return e.details(key)
}

// GetAllKeys is like [Client.GetAllKeys].
func (s *Snapshot) GetAllKeys() []string {
	s = orEmpty(s)
	return s.listKeys(s.held)
}

// GetAllValues is like [Client.GetAllValues].
func (s *Snapshot) GetAllValues() map[string]any {
	s = orEmpty(s)
	return s.listValues(s.held, "Snapshot.GetAllValues", s.user)
}

// GetAllValueDetails is like [Client.GetAllValueDetails].
func (s *Snapshot) GetAllValueDetails() []EvaluationDetails {
	s = orEmpty(s)
	return s.listDetails(s.held, "Snapshot.GetAllValueDetails", s.user)
}

// GetAllVariationIDs is like [Client.GetAllVariationIDs].
func (s *Snapshot) GetAllVariationIDs() []string {
	s = orEmpty(s)
	return s.listVariationIDs(s.held, "Snapshot.GetAllVariationIDs", s.user)
}

// GetKeyValueForVariationID is like [Client.GetKeyValueForVariationID].
func (s *Snapshot) GetKeyValueForVariationID(id string) (key string, value any) {
	s = orEmpty(s)
	return s.findVariation(s.held, id)
}
