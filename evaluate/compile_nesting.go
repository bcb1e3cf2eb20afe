package evaluate

// measureNesting determines which links lie on a cycle and which lead to prerequisites that are
// nested too deeply: once per config, rather than in every evaluation. The time is proportional to
// the size of the config. It does not recurse: chains may be as long as the config.
func (c *Config) measureNesting() {
	first := 0
	for first < len(c.ordered) && len(c.ordered[first].links) == 0 {
		first++
	}
	if first == len(c.ordered) {
		return
	}
	n := nesting{nodes: make([]node, len(c.ordered))}
	for _, s := range c.ordered[first:] {
		if n.nodes[s.place].order == 0 {
			n.visit(s)
		}
	}
}

// nesting is Tarjan's search for strongly connected components. It completes a component after all
// those that it depends on.
type nesting struct {
	nodes   []node // by setting.place
	counter int32
	path    []walk     // from the first setting of the search to the current one
	open    []*setting // visited, but not yet in a complete component
}

type node struct {
	order int32 // the order of visits, from 1; 0: not visited yet
	low   int32 // the lowest order known to be in the same component
	depth int32 // how many prerequisites nest below the setting, at most maxPrerequisiteDepth+1
	done  bool  // its component is complete
}

func (n *nesting) visit(start *setting) {
	n.enter(start)
	for len(n.path) > 0 {
		top := &n.path[len(n.path)-1]
		at := &n.nodes[top.setting.place]
		if top.next < len(top.setting.links) {
			l := &top.setting.links[top.next]
			top.next++
			if l.err != nil {
				continue
			}
			switch target := &n.nodes[l.target.place]; {
			case target.order == 0:
				n.enter(l.target)
			case !target.done:
				at.low = min(at.low, target.order)
			}
			continue
		}
		n.path = n.path[:len(n.path)-1]
		if len(n.path) > 0 {
			dependent := &n.nodes[n.path[len(n.path)-1].setting.place]
			dependent.low = min(dependent.low, at.low)
		}
		if at.low == at.order {
			n.complete(top.setting)
		}
	}
}

func (n *nesting) enter(s *setting) {
	n.counter++
	n.nodes[s.place] = node{order: n.counter, low: n.counter}
	n.path = append(n.path, walk{setting: s})
	n.open = append(n.open, s)
}

// complete closes the component that was entered at the setting first.
func (n *nesting) complete(first *setting) {
	start := len(n.open) - 1
	for n.open[start] != first {
		start--
	}
	component := n.open[start:]
	n.open = n.open[:start]

	// Inside a component, a path visits each setting at most once.
	inside := int32(len(component) - 1)
	var below int32
	for _, s := range component {
		for i := range s.links {
			l := &s.links[i]
			if l.err != nil {
				continue
			}
			if target := &n.nodes[l.target.place]; target.done {
				below = max(below, target.depth+1)
			} else {
				l.cyclic, s.cyclic = true, true
				inside = int32(len(component))
			}
		}
	}
	depth := min(inside+below, maxPrerequisiteDepth+1)
	for _, s := range component {
		for i := range s.links {
			l := &s.links[i]
			if l.err == nil && (l.cyclic && depth > maxPrerequisiteDepth || !l.cyclic && n.nodes[l.target.place].depth >= maxPrerequisiteDepth) {
				l.err = errTooDeep
			}
		}
		n.nodes[s.place].depth = depth
	}
	for _, s := range component {
		n.nodes[s.place].done = true
	}
}
