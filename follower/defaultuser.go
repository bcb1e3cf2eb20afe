package follower

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

// userOr is the user of an evaluation: the one given, else the default.
func (c *Client) userOr(given User) User {
	if isNobody(given) {
		if user := c.defaultUser.Load(); user != nil {
			return *user
		}
	}
	return given
}

// isNobody tells that there is no user, which a variable of type *UserData can say, too.
func isNobody(user User) bool {
	if data, ok := user.(*UserData); ok {
		return data == nil
	}
	return user == nil
}
