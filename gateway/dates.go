package gateway

import "encoding/json"

// The comparators of conditions on dates, as numbered in the config JSON.
const (
	dateBefore = 18
	dateAfter  = 19
)

type userCondition struct {
	Attribute  string `json:"a"`
	Comparator int    `json:"c"`
}

// dateAttributes returns the attributes that only conditions on dates use. Nothing else shows that
// text is a date: JSON has none.
func dateAttributes(config []byte) map[string]bool {
	var parsed struct {
		Settings map[string]struct {
			Attribute string `json:"a"`
			Rules     []struct {
				Conditions []struct {
					User *userCondition `json:"u"`
				} `json:"c"`
			} `json:"r"`
		} `json:"f"`
		Segments []struct {
			Conditions []userCondition `json:"r"`
		} `json:"s"`
	}
	_ = json.Unmarshal(config, &parsed)           // parts of a wrong type fail when they are evaluated
	dates := map[string]bool{"Identifier": false} // percentage options use it
	use := func(c *userCondition) {
		isDate := c.Comparator == dateBefore || c.Comparator == dateAfter
		if before, used := dates[c.Attribute]; used {
			isDate = isDate && before
		}
		dates[c.Attribute] = isDate
	}
	for _, setting := range parsed.Settings {
		if setting.Attribute != "" { // of percentage options
			dates[setting.Attribute] = false
		}
		for _, rule := range setting.Rules {
			for i := range rule.Conditions {
				if c := rule.Conditions[i].User; c != nil {
					use(c)
				}
			}
		}
	}
	for _, segment := range parsed.Segments {
		for i := range segment.Conditions {
			use(&segment.Conditions[i])
		}
	}
	return dates
}
