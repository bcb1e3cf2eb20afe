package evaluate

import (
	"encoding/json"
	"strings"

	"github.com/catbridge/catbridge/evaluate/internal/jsontext"
)

// becomeList converts text that is a JSON array of strings to a list, for array comparators, and
// reports whether the attribute now is a list of strings (S32). Any other attribute is unchanged.
func (a *attribute) becomeList() bool {
	if a.isList() {
		return true
	}
	if a.kind != attributeText {
		return false
	}
	list, ok := parseList(a.text)
	if ok {
		a.kind, a.list = attributeList, list
	}
	return ok
}

func parseList(text string) ([]string, bool) {
	if !strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "[") || !json.Valid([]byte(text)) {
		return nil, false
	}
	var list []string
	c := jsontext.NewCursor(text)
	for more := c.Open(); more; more = c.Next() {
		if c.Kind() != '"' {
			return nil, false
		}
		list = append(list, c.Text())
	}
	return list, true
}

func (c *Condition) compareList(list *attribute) outcome {
	hashed := c.comparator.isHashed()
	found := false
	for i := range list.len() {
		if item := list.at(i); hashed {
			found = c.operand.hasHash(item)
		} else {
			found = c.listHas(item)
		}
		if found {
			break
		}
	}
	return outcomeOf(found != c.comparator.isNegated())
}
