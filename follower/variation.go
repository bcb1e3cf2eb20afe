package follower

// GetAllVariationIDs gives the variation IDs of the values of all settings for a user, in
// the config's order, without those of values that have none (S19).
func (c *Client) GetAllVariationIDs(user User) []string {
	return c.listVariationIDs(c.held(), "GetAllVariationIDs", c.userOr(user))
}

// GetKeyValueForVariationID gives the key of the setting that has a variation ID, and the
// value the ID stands for, a bool, string, int or float64 (S20). Where there is none it
// gives "" and nil, and an event says so.
func (c *Client) GetKeyValueForVariationID(id string) (key string, value any) {
	return c.findVariation(c.held(), id)
}
