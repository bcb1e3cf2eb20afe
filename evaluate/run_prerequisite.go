package evaluate

// These limits bound the stack and the time of an evaluation, whatever the config contains. They
// are far beyond real configs.
const (
	maxPrerequisiteDepth  = 10_000
	maxPrerequisiteVisits = 100_000
)

// prerequisiteNotEquals is NOT EQUALS; the other comparator of prerequisites, EQUALS, is 0.
const prerequisiteNotEquals = 1

// evaluatePrerequisite compares another flag's value for the same user with the comparison value
// (S74).
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

// servedBy evaluates a prerequisite, or returns its cached result.
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

// recall caches the results of prerequisites for one user: an evaluation of all flags evaluates
// each prerequisite once.
type recall map[*setting]recalled

// recalled is the result of a prerequisite, with the events that its evaluation collected.
type recalled struct {
	served       *served
	err          *Error // instead of served
	visits       int    // prerequisites evaluated below it; every use adds them to run.visits
	events, ends int    // the range of its events in the trace
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

// chain contains the settings that wait for a prerequisite, the requested setting first. A chain
// of usual length does not allocate.
type chain struct {
	near   [12]*setting
	far    []*setting // the settings beyond near
	length int
	// cyclic contains the settings of far that lie on a cycle, so that has need not search far.
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

// has reports whether the chain contains s, which must lie on a cycle.
func (c *chain) has(s *setting) bool {
	for i := range min(c.length, len(c.near)) {
		if c.near[i] == s {
			return true
		}
	}
	_, found := c.cyclic[s]
	return found
}

// cycle returns the error of a chain that returns to target.
func (c *chain) cycle(target *setting) *Error {
	keys := make([]string, 0, c.length+1)
	for i := range c.length {
		keys = append(keys, c.at(i).key)
	}
	err := cycleError(append(keys, target.key))
	err.walked = true
	return err
}
