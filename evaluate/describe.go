package evaluate

// Describe returns a setting as a tree in which nothing is evaluated, or nil if there is no such
// setting. The tree is bounded as that of an [Explanation] is.
func (c *Config) Describe(key string) *SettingTree {
	s := c.lookup(key)
	if s == nil {
		return nil
	}
	e := newExplainer(s)
	e.complete(e.explanation.Setting)
	return e.explanation.Setting
}

// Segments returns the segments of the config as trees in which nothing is evaluated: those that
// settings use, in the order of their first use, and then the others. Each tree is bounded as that
// of an [Explanation] is. Several segments may have the same name; the name of a broken one may be
// empty.
func (c *Config) Segments() []*SegmentTree {
	if c == nil {
		return nil
	}
	var all []*SegmentTree
	seen := make(map[*segment]bool)
	add := func(s *segment) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		e := explainer{explanation: new(Explanation), left: maxTreeParts}
		t := newSegmentTree(s)
		e.completeSegment(t)
		all = append(all, t)
	}
	for _, s := range c.ordered {
		for i := range s.rules {
			for j := range s.rules[i].conditions {
				add(s.rules[i].conditions[j].segment)
			}
		}
	}
	if d := c.source.document; d != nil {
		for i := range d.segments {
			add(&d.segments[i])
		}
	}
	return all
}

// Uses returns the keys of the flags and the names of the segments that the conditions of a setting
// name, each once, in the order of their first use. They include flags that the config lacks. It
// returns nothing if there is no such setting.
func (c *Config) Uses(key string) (flags, segments []string) {
	s := c.lookup(key)
	if s == nil {
		return nil, nil
	}
	seenFlags, seenSegments := make(map[string]bool), make(map[string]bool)
	for i := range s.rules {
		for j := range s.rules[i].conditions {
			condition := &s.rules[i].conditions[j]
			switch {
			case condition.prerequisite != nil:
				flags = appendOnce(flags, seenFlags, condition.prerequisite.flag, condition.prerequisite.flagErr)
			case condition.segment != nil:
				segments = appendOnce(segments, seenSegments, condition.segment.name, nil)
			}
		}
	}
	return flags, segments
}

func appendOnce(names []string, seen map[string]bool, name string, err *Error) []string {
	if err != nil || seen[name] {
		return names
	}
	seen[name] = true
	return append(names, name)
}
