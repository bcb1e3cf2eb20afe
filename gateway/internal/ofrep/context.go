package ofrep

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// The names of the predefined attributes.
const (
	identifier = "Identifier"
	email      = "Email"
	country    = "Country"
)

// Context is the evaluation context of a request.
type Context struct {
	// Attributes are the user's attributes by name: strings, float64s and []strings.
	Attributes map[string]any

	flags    []string // the filter
	filtered bool
}

// Parse reads the body of a request. An empty body has an empty context.
//
// The targeting key becomes the attribute Identifier. All other attributes keep their names. If
// Email or Country is not set, the attribute email or country is used instead. Booleans, objects and
// lists with anything but strings become their JSON text. Null, and an empty targeting key, count as
// not set. A member flags of the context that is a list of strings also selects the flags of the answer.
func Parse(body []byte) (*Context, *Failure) {
	var request map[string]json.RawMessage
	if body = bytes.TrimSpace(body); len(body) > 0 {
		err := json.Unmarshal(body, &request)
		if wrong, ok := errors.AsType[*json.SyntaxError](err); ok {
			return nil, Invalid(ParseError, fmt.Sprintf("the body is not valid JSON: byte %d: %v", wrong.Offset, err))
		}
		if request == nil {
			return nil, Invalid(ParseError, "the body is not a JSON object")
		}
	}
	var members map[string]json.RawMessage
	if raw := request["context"]; raw != nil && json.Unmarshal(raw, &members) != nil {
		return nil, Invalid(InvalidContext, "context: it is not an object")
	}
	c := &Context{Attributes: make(map[string]any, len(members))}
	if failure := c.setKey(members); failure != nil {
		return nil, failure
	}
	for name, raw := range members {
		value, err := attributeOf(raw)
		if err != nil {
			return nil, Invalid(InvalidContext, fmt.Sprintf("context: the attribute %.100q: %v", name, err))
		}
		if value != nil {
			c.Attributes[name] = value
		}
	}
	c.setFrom(email, "email")
	c.setFrom(country, "country")
	c.flags, c.filtered = c.Attributes["flags"].([]string)
	return c, nil
}

// setKey takes the targeting key out of the members.
func (c *Context) setKey(members map[string]json.RawMessage) *Failure {
	raw, given := members["targetingKey"]
	if !given {
		return nil
	}
	delete(members, "targetingKey")
	var key *string
	if err := json.Unmarshal(raw, &key); err != nil {
		return Invalid(InvalidContext, "context: targetingKey: it is not a string")
	}
	if key != nil && *key != "" {
		delete(members, identifier)
		c.Attributes[identifier] = *key
	}
	return nil
}

// setFrom sets the attribute name from the attribute theirs, which has the spelling of ConfigCat's
// own OpenFeature provider, if name is not set.
func (c *Context) setFrom(name, theirs string) {
	if value, ok := c.Attributes[name]; ok && value != "" {
		return
	}
	if value, ok := c.Attributes[theirs]; ok && value != "" {
		c.Attributes[name] = value
	}
}

// attributeOf returns the attribute of a valid JSON value; nil: not set.
func attributeOf(raw json.RawMessage) (any, error) {
	switch raw[0] {
	case 'n':
		return nil, nil
	case '"':
		var text string
		err := json.Unmarshal(raw, &text)
		return text, err
	case 't', 'f':
		return string(raw), nil
	case '{':
		return stringified(raw)
	case '[':
		if list, ok := stringsOf(raw); ok {
			return list, nil
		}
		return stringified(raw)
	default:
		return numberOf(string(raw))
	}
}

// stringsOf returns a list of strings.
func stringsOf(raw json.RawMessage) (list []string, ok bool) {
	var items []*string // null is not a string
	if json.Unmarshal(raw, &items) != nil {
		return nil, false
	}
	list = make([]string, len(items))
	for i, item := range items {
		if item == nil {
			return nil, false
		}
		list[i] = *item
	}
	return list, true
}
