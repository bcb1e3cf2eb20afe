package evaluate

import "encoding/json"

// asList is the attribute as array comparators see it: a list of texts, or a
// text that is a JSON array of texts (S32).
func (a *attribute) asList() (attribute, bool) {
	if a.isList() {
		return *a, true
	}
	if a.kind != attributeText {
		return attribute{}, false
	}
	list, ok := parseList(a.text)
	return attribute{kind: attributeList, list: list}, ok
}

func parseList(text string) ([]string, bool) {
	c := cursor{text: text}
	if c.space(); c.pos == len(text) || text[c.pos] != '[' || !json.Valid([]byte(text)) {
		return nil, false
	}
	var list []string
	for more := c.open(); more; more = c.next() {
		if c.kind() != '"' {
			return nil, false
		}
		list = append(list, c.string())
	}
	return list, true
}

func (c *Condition) compareList(list *attribute) outcome {
	hashed := c.comparator.isHashed()
	found := false
	for i := range list.len() {
		if item := list.at(i); hashed {
			_, found = c.operand.digests[saltedHash(item, c.operand.salt)]
		} else {
			found = c.listHas(item)
		}
		if found {
			break
		}
	}
	return outcomeOf(found != c.comparator.isNegated())
}
