package evaluate

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
