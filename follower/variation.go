package follower

// GetAllVariationIDs returns the variation IDs of the values of all settings for a user, in the
// config's order. It omits values without a variation ID (S19).
func (c *Client) GetAllVariationIDs(user User) []string {
	return c.listVariationIDs(c.held(), "GetAllVariationIDs", c.userOr(user))
}

// GetKeyValueForVariationID returns the key of the setting that has a variation ID, and the
// value with this ID: a bool, string, int or float64 (S20). If there is none, it returns "" and
// nil, and an event says so.
func (c *Client) GetKeyValueForVariationID(id string) (key string, value any) {
	return c.findVariation(c.held(), id)
}
