package follower

import "reflect"

// SetDefaultUser sets the user of every evaluation from now on that is given none (S11);
// nil: there is none. It is not copied, and must not change while it is the default.
func (c *Client) SetDefaultUser(user User) {
	if isNobody(user) {
		c.defaultUser.Store(nil)
		return
	}
	c.defaultUser.Store(&user)
}

// ClearDefaultUser makes evaluations that are given no user have none (S11).
func (c *Client) ClearDefaultUser() { c.defaultUser.Store(nil) }

// userOr is the user of an evaluation: the one given, else the default; nil: nobody.
func (c *Client) userOr(given User) User {
	if given != nil && !isNobody(given) {
		return given
	}
	return c.user()
}

// user is the default user; nil: there is none.
func (c *Client) user() User {
	if user := c.defaultUser.Load(); user != nil {
		return *user
	}
	return nil
}

// isNobody tells that there is no user, which a nil pointer or map can say, too.
func isNobody(user User) bool {
	switch u := user.(type) {
	case *UserData:
		return u == nil
	case nil:
		return true
	}
	v := reflect.ValueOf(user)
	return (v.Kind() == reflect.Pointer || v.Kind() == reflect.Map) && v.IsNil()
}
