package evaluate

// Limits on prerequisites that no config made by people comes near: they keep
// the stack and the time of an evaluation bounded whatever the config says.
const (
	maxPrerequisiteDepth  = 10_000
	maxPrerequisiteVisits = 100_000
)

// prerequisiteNotEquals is one of the two comparators of prerequisite conditions.
const prerequisiteNotEquals = 1

// evaluatePrerequisite compares the value of another flag, for the same user (S74).
func (r *run) evaluatePrerequisite(t *Trace, c *Condition) (outcome, *Error) {
	p := c.prerequisite
	l := &r.setting.links[c.link]
	t.log().prerequisiteCondition(p, l)
	if l.err != nil {
		return noMatch, l.err
	}
	r.chain.push(r.setting)
	if r.chain.has(l.target) {
		return noMatch, r.chain.cycle(l.target)
	}
	if r.chain.length > maxPrerequisiteDepth {
		return noMatch, errTooDeep
	}
	if r.visits++; r.visits > maxPrerequisiteVisits {
		return noMatch, errTooMany
	}
	t.log().beginPrerequisite(p)

	dependent := r.frame
	r.frame = frame{setting: l.target}
	var out selection
	err := r.evaluateSetting(t, &out)
	r.frame = dependent
	r.chain.pop()

	switch {
	case err != nil:
		return noMatch, err
	case out.served.valueErr != nil:
		return noMatch, out.served.valueErr
	case p.comparatorErr != nil:
		return noMatch, p.comparatorErr
	}
	result := outcomeOf(out.served.value.equals(l.value) != (p.comparator == prerequisiteNotEquals))
	t.log().endPrerequisite(p, l, out.served.value, result)
	return result, nil
}

// chain holds the settings that wait for a prerequisite, the one asked for
// first. Chains of usual length need no memory of their own.
type chain struct {
	near   [12]*setting
	far    []*setting // those beyond
	length int
}

func (c *chain) push(s *setting) {
	if c.length < len(c.near) {
		c.near[c.length] = s
	} else {
		c.far = append(c.far, s)
	}
	c.length++
}

func (c *chain) pop() {
	c.length--
	if c.length >= len(c.near) {
		c.far = c.far[:len(c.far)-1]
	}
}

func (c *chain) at(i int) *setting {
	if i < len(c.near) {
		return c.near[i]
	}
	return c.far[i-len(c.near)]
}

func (c *chain) has(s *setting) bool {
	for i := range c.length {
		if c.at(i) == s {
			return true
		}
	}
	return false
}

// cycle is the error of a chain that comes back to target.
func (c *chain) cycle(target *setting) *Error {
	keys := make([]string, 0, c.length+1)
	for i := range c.length {
		keys = append(keys, c.at(i).key)
	}
	return cycleError(append(keys, target.key))
}
