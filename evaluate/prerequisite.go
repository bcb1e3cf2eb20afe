package evaluate

// Limits on prerequisites that no config made by people comes near: they keep
// the stack and the time of an evaluation bounded whatever the config says. The
// depth is known when a config is compiled, see measureNesting.
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
	if l.cyclic && r.chain.has(l.target) {
		return noMatch, r.chain.cycle(l.target)
	}
	if r.visits++; r.visits > maxPrerequisiteVisits {
		return noMatch, errTooMany
	}
	t.log().beginPrerequisite(p)
	served, err := r.servedBy(t, l.target)
	r.chain.pop()

	switch {
	case err != nil:
		return noMatch, err
	case served.valueErr != nil:
		return noMatch, served.valueErr
	case p.comparatorErr != nil:
		return noMatch, p.comparatorErr
	}
	result := outcomeOf(served.value.equals(l.value) != (p.comparator == prerequisiteNotEquals))
	t.log().endPrerequisite(p, l, served.value, result)
	return result, nil
}

// servedBy evaluates a prerequisite, or recalls what it serves.
func (r *run) servedBy(t *Trace, s *setting) (*served, *Error) {
	if r.recall != nil {
		return r.recall.servedBy(r, t, s)
	}
	return r.evaluatePrerequisiteSetting(t, s)
}

func (r *run) evaluatePrerequisiteSetting(t *Trace, s *setting) (*served, *Error) {
	dependent := r.frame
	r.frame = frame{setting: s}
	var out selection
	err := r.evaluateSetting(t, &out)
	r.frame = dependent
	return out.served, err
}

// recall holds what prerequisites serve to one user, so that an evaluation of all flags
// evaluates each of them once.
type recall map[*setting]recalled

// recalled is what a prerequisite serves, with what there was to collect on the way.
type recalled struct {
	served       *served
	err          *Error // in place of served
	visits       int    // prerequisites evaluated for it, which count again
	events, ends int    // in the trace
}

func (k recall) servedBy(r *run, t *Trace, s *setting) (*served, *Error) {
	if known, ok := k[s]; ok {
		if r.visits += known.visits; r.visits > maxPrerequisiteVisits {
			return nil, errTooMany
		}
		if known.events < known.ends {
			t.events = append(t.events, t.events[known.events:known.ends]...)
		}
		return known.served, known.err
	}
	visits, events := r.visits, len(t.Events())
	served, err := r.evaluatePrerequisiteSetting(t, s)
	if err == nil || err != errTooMany && !err.walked {
		k[s] = recalled{served, err, r.visits - visits, events, len(t.Events())}
	}
	return served, err
}

// chain holds the settings that wait for a prerequisite, the one asked for
// first. Chains of usual length need no memory of their own.
type chain struct {
	near   [12]*setting
	far    []*setting // those beyond
	length int
	// cyclic has those of far that lie on a cycle, so that a long chain need not be searched.
	cyclic map[*setting]struct{}
}

func (c *chain) push(s *setting) {
	if c.length < len(c.near) {
		c.near[c.length] = s
	} else {
		c.pushFar(s)
	}
	c.length++
}

func (c *chain) pushFar(s *setting) {
	c.far = append(c.far, s)
	if !s.cyclic {
		return
	}
	if c.cyclic == nil {
		c.cyclic = make(map[*setting]struct{})
	}
	c.cyclic[s] = struct{}{}
}

func (c *chain) pop() {
	c.length--
	if c.length >= len(c.near) {
		last := len(c.far) - 1
		if c.cyclic != nil {
			delete(c.cyclic, c.far[last])
		}
		c.far = c.far[:last]
	}
}

func (c *chain) at(i int) *setting {
	if i < len(c.near) {
		return c.near[i]
	}
	return c.far[i-len(c.near)]
}

// has reports whether a setting on a cycle is in the chain.
func (c *chain) has(s *setting) bool {
	for i := range min(c.length, len(c.near)) {
		if c.near[i] == s {
			return true
		}
	}
	_, found := c.cyclic[s]
	return found
}

// cycle is the error of a chain that comes back to target.
func (c *chain) cycle(target *setting) *Error {
	keys := make([]string, 0, c.length+1)
	for i := range c.length {
		keys = append(keys, c.at(i).key)
	}
	err := cycleError(append(keys, target.key))
	err.walked = true
	return err
}
