package follower

import (
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower/internal/snapshot"
)

// GetBoolValue returns the value of a bool setting for a user. If the evaluation fails, for
// example without a config, it returns def, and an event says why (S14, S24). It does not
// allocate.
func (c *Client) GetBoolValue(key string, def bool, user User) bool {
	return c.value(c.held(), "GetBoolValue", key, c.userOr(user), evaluate.BoolValue(def)).Bool()
}

// GetIntValue is [Client.GetBoolValue] for a whole number. For a decimal setting it returns def, as
// for every other wrong type.
func (c *Client) GetIntValue(key string, def int, user User) int {
	return int(c.value(c.held(), "GetIntValue", key, c.userOr(user), evaluate.IntValue(int64(def))).Int())
}

// GetFloatValue is [Client.GetBoolValue] for a decimal number.
func (c *Client) GetFloatValue(key string, def float64, user User) float64 {
	return c.value(c.held(), "GetFloatValue", key, c.userOr(user), evaluate.FloatValue(def)).Float()
}

// GetStringValue is [Client.GetBoolValue] for a string.
func (c *Client) GetStringValue(key string, def string, user User) string {
	return c.value(c.held(), "GetStringValue", key, c.userOr(user), evaluate.StringValue(def)).String()
}

// GetBoolValueDetails is [Client.GetBoolValue] with the details of the evaluation (S15).
func (c *Client) GetBoolValueDetails(key string, def bool, user User) (d BoolEvaluationDetails) {
	d.Value = c.valueDetails(&d.Data, c.held(), "GetBoolValueDetails", key, c.userOr(user), evaluate.BoolValue(def)).Bool()
	return d
}

// GetIntValueDetails is [Client.GetIntValue] with the details of the evaluation (S15).
func (c *Client) GetIntValueDetails(key string, def int, user User) (d IntEvaluationDetails) {
	d.Value = int(c.valueDetails(&d.Data, c.held(), "GetIntValueDetails", key, c.userOr(user), evaluate.IntValue(int64(def))).Int())
	return d
}

// GetFloatValueDetails is [Client.GetFloatValue] with the details of the evaluation (S15).
func (c *Client) GetFloatValueDetails(key string, def float64, user User) (d FloatEvaluationDetails) {
	d.Value = c.valueDetails(&d.Data, c.held(), "GetFloatValueDetails", key, c.userOr(user), evaluate.FloatValue(def)).Float()
	return d
}

// GetNumberValueDetails is [Client.GetFloatValueDetails] for a setting that is a decimal or a
// whole number. It converts whole numbers.
func (c *Client) GetNumberValueDetails(key string, def float64, user User) (d FloatEvaluationDetails) {
	d.Value = c.valueDetails(&d.Data, c.held(), "GetNumberValueDetails", key, c.userOr(user), evaluate.NumberValue(def)).Float()
	return d
}

// GetStringValueDetails is [Client.GetStringValue] with the details of the evaluation (S15).
func (c *Client) GetStringValueDetails(key string, def string, user User) (d StringEvaluationDetails) {
	d.Value = c.valueDetails(&d.Data, c.held(), "GetStringValueDetails", key, c.userOr(user), evaluate.StringValue(def)).String()
	return d
}

// GetAllKeys returns the keys of all settings, in the config's order; nil if there is no
// config (S16).
func (c *Client) GetAllKeys() []string { return c.listKeys(c.held()) }

// GetAllValues returns the values of all settings for a user, each a bool, string, int or
// float64, or nil if its evaluation failed (S17). Without a config the map is empty.
func (c *Client) GetAllValues(user User) map[string]any {
	return c.listValues(c.held(), "GetAllValues", c.userOr(user))
}

// GetAllValueDetails returns the values of all settings for a user with the details of their
// evaluation, in the config's order (S18). The value of a setting whose evaluation fails is
// nil; the others are not affected. Without a config the result is nil.
func (c *Client) GetAllValueDetails(user User) []EvaluationDetails {
	return c.listDetails(c.held(), "GetAllValueDetails", c.userOr(user))
}

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

// held does what the polling mode requires before it returns the snapshot in force.
func (c *Client) held() *snapshot.Snapshot {
	if c.updater != nil && c.updater.mode != Subscribe {
		c.updater.beforeGet()
	}
	return c.inForce()
}

// inForce returns the snapshot in force, flag overrides included, or nil.
func (c *Client) inForce() *snapshot.Snapshot {
	if c.overrides != nil {
		return c.overridden()
	}
	return c.holder.Current()
}

func (c *Client) overridden() *snapshot.Snapshot {
	if c.overrides.isOnly() {
		return c.overrides.over(nil)
	}
	return c.overrides.over(c.holder.Current())
}
