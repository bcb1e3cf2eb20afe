package evaluate

// findBroken finds the flags that can fail: those with an error of their own or in a segment they
// use, those on a cycle, and all flags that depend on any of these.
func (c *Config) findBroken() {
	found := make(map[*setting]*Error)
	for _, key := range c.keys {
		if s := c.lookup(key); s.firstError() != nil {
			found[s] = s.firstError()
		}
	}
	c.findCycles(found)
	c.spreadToDependents(found)
	c.broken = nil
	for _, key := range c.keys {
		if err := found[c.lookup(key)]; err != nil {
			c.broken = append(c.broken, FlagError{Key: key, Err: err})
		}
	}
}

// walk is a position in a depth-first search.
type walk struct {
	setting *setting
	next    int // the link to follow next
}

// findCycles searches without recursion: chains may be as long as the config. Of cycles that share
// flags, only one is recorded; the other flags get its error as dependents. The errors of all
// cycles could be larger than the config.
func (c *Config) findCycles(found map[*setting]*Error) {
	const open, done, doneFaulty = 1, 2, 3
	state := make([]int, len(c.ordered))  // by setting.place
	height := make([]int, len(c.ordered)) // of open settings: index on the stack
	var stack []walk
	for _, key := range c.keys {
		s := c.lookup(key)
		if len(s.links) == 0 || state[s.place] != 0 {
			continue
		}
		stack = append(stack[:0], walk{setting: s})
		state[s.place], height[s.place] = open, 0
		faulty := -1 // the highest index on the stack whose setting depends on a cycle
		for len(stack) > 0 {
			at := len(stack) - 1
			top := &stack[at]
			if top.next == len(top.setting.links) {
				state[top.setting.place] = done
				if faulty == at {
					state[top.setting.place] = doneFaulty
					faulty--
				}
				stack = stack[:at]
				continue
			}
			l := &top.setting.links[top.next]
			top.next++
			if l.err != nil {
				continue
			}
			switch state[l.target.place] {
			case open:
				if faulty < height[l.target.place] && found[top.setting] == nil {
					found[top.setting] = cycleOnStack(stack, l.target)
				}
				faulty = at
			case doneFaulty:
				faulty = at
			case 0:
				state[l.target.place], height[l.target.place] = open, len(stack)
				stack = append(stack, walk{setting: l.target})
			}
		}
	}
}

func cycleOnStack(stack []walk, target *setting) *Error {
	start := len(stack) - 1
	for stack[start].setting != target {
		start--
	}
	var keys []string
	for _, w := range stack[start:] {
		keys = append(keys, w.setting.key)
	}
	return cycleError(append(keys, target.key))
}

func cycleError(keys []string) *Error {
	return modelError("Circular dependency detected between the following depending flags: " + quotedList(keys, " -> ") + ".")
}

func (c *Config) spreadToDependents(found map[*setting]*Error) {
	if len(found) == 0 {
		return
	}
	dependents := c.dependents()
	var queue []*setting
	for _, s := range c.ordered {
		if found[s] != nil {
			queue = append(queue, s)
		}
	}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		for _, dependent := range dependents[s] {
			if found[dependent] == nil {
				found[dependent] = found[s]
				queue = append(queue, dependent)
			}
		}
	}
}

// firstError returns the first error in the setting itself, its links and its segments.
func (s *setting) firstError() *Error {
	switch {
	case s.err != nil:
		return s.err
	case s.rulesErr != nil:
		return s.rulesErr
	}
	usesOptions := len(s.options) > 0
	for i := range s.rules {
		rule := &s.rules[i]
		usesOptions = usesOptions || rule.hasOptions
		if err := rule.firstError(s); err != nil {
			return err
		}
	}
	if usesOptions && s.optionAttributeErr != nil {
		return s.optionAttributeErr
	}
	if s.optionsErr != nil {
		return s.optionsErr
	}
	if err := optionsError(s.options); err != nil {
		return err
	}
	return s.served.err
}

func (r *TargetingRule) firstError(s *setting) *Error {
	switch {
	case r.err != nil:
		return r.err
	case r.conditionsErr != nil:
		return r.conditionsErr
	}
	for i := range r.conditions {
		condition := &r.conditions[i]
		if err := condition.firstError(); err != nil {
			return err
		}
		if condition.kind == prerequisiteCondition && s.links[condition.link].err != nil {
			return s.links[condition.link].err
		}
	}
	switch {
	case r.thenErr != nil:
		return r.thenErr
	case r.hasOptions:
		return optionsError(r.options)
	default:
		return r.served.err
	}
}

func (c *Condition) firstError() *Error {
	switch {
	case c.err != nil:
		return c.err
	case c.valueErr != nil:
		return c.valueErr
	case c.operand != nil:
		for i := range c.operand.slices {
			if c.operand.slices[i].state == sliceMalformed {
				return errComparison
			}
		}
	case c.prerequisite != nil:
		return c.prerequisite.comparatorErr
	case c.segment != nil:
		return c.segment.broken
	}
	return nil
}

func (s *segment) firstError() *Error {
	switch {
	case s.err != nil:
		return s.err
	case s.conditionsErr != nil:
		return s.conditionsErr
	}
	for i := range s.conditions {
		if err := s.conditions[i].firstError(); err != nil {
			return err
		}
	}
	return nil
}

func optionsError(options []PercentageOption) *Error {
	var sum int64
	for i := range options {
		o := &options[i]
		switch {
		case sum >= 100:
			return nil
		case o.err != nil:
			return o.err
		case o.shareErr != nil:
			return o.shareErr
		case o.share > 0 && o.served.err != nil:
			return o.served.err
		}
		sum += o.share
	}
	if len(options) > 0 && sum < 100 {
		return errShares
	}
	return nil
}
