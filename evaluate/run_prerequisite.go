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
	t.log().prerequisiteCondition(c, l)
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
	t.log().beginPrerequisite(p, l)
	served, err := r.servedBy(t, l.target)
	r.chain.pop()
	if err != nil {
		return noMatch, err
	}
	t.log().servedPrerequisite(served)

	switch {
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
	if !r.shared {
		return r.evaluatePrerequisiteSetting(t, s)
	}
	if r.recall == nil {
		r.recall = recall{} // few configs have prerequisites
	}
	return r.recall.servedBy(r, t, s)
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
