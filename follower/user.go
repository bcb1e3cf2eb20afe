package follower

import (
	"reflect"

	"github.com/catbridge/catbridge/evaluate"
)

// User is the user of an evaluation: nil (no user), a [*UserData], a map with string keys, a
// [UserAttributes], or a struct or a pointer to one (S33).
type User = any

// UserData is the usual user object (S25).
type UserData = evaluate.UserData

// UserAttributes is the interface of the caller's own user types (S33).
type UserAttributes = evaluate.UserAttributes

// SetDefaultUser sets the user of evaluations that are called without a user (S11). If user is
// nil, such evaluations have no user. The user is not copied, and must not change while it is
// the default.
func (c *Client) SetDefaultUser(user User) {
	if isNilUser(user) {
		c.defaultUser.Store(nil)
		return
	}
	c.defaultUser.Store(&user)
}

// ClearDefaultUser removes the default user (S11).
func (c *Client) ClearDefaultUser() { c.defaultUser.Store(nil) }

// userOr returns the given user, or else the default; nil if there is neither.
func (c *Client) userOr(given User) User {
	if given != nil && !isNilUser(given) {
		return given
	}
	return c.user()
}

func (c *Client) user() User {
	if user := c.defaultUser.Load(); user != nil {
		return *user
	}
	return nil
}

// isNilUser reports whether user is nil, or a nil pointer or map.
func isNilUser(user User) bool {
	switch u := user.(type) {
	case *UserData:
		return u == nil
	case nil:
		return true
	}
	v := reflect.ValueOf(user)
	return (v.Kind() == reflect.Pointer || v.Kind() == reflect.Map) && v.IsNil()
}
