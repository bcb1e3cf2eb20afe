package interop

import (
	"iter"
	"maps"
	"slices"
	"unicode/utf8"
)

// shrink looks for a smaller case that differs in one of the same members, and removes from
// it all that has no effect on the difference.
func (d *differential) shrink(found *difference) *difference {
	d.t.Helper()
	quiet := differential{t: d.t, oracle: d.oracle}
	for smaller := true; smaller; {
		smaller = false
		for s := range simpler(found.subject) {
			if diff := quiet.differs(s); diff != nil && diff.sameKind(found) {
				found, smaller = diff, true
				break
			}
		}
	}
	return found
}

// sameKind reports whether the differences may have the same cause.
func (d *difference) sameKind(other *difference) bool {
	return d.members[0] == other.members[0] && (d.ours.ErrorCode == panicked) == (other.ours.ErrorCode == panicked)
}

// differs compares the answers of both engines to one case.
func (d *differential) differs(s subject) *difference {
	d.t.Helper()
	s.refusedByUs, s.refusedByThem = "", ""
	q := s.question()
	theirs, ours := d.oracle.ask(d.t, q)[0], answerOurselves(d.t, q)
	s.refused(ours, theirs)
	// The generator makes no config that is refused even without the breakage.
	intact := s
	intact.intact = true
	if theirs.Refused != nil && d.oracle.ask(d.t, intact.question())[0].Refused != nil {
		return nil
	}
	return d.explain(s, ours.Results[0], theirs.Results[0])
}

// simpler yields the subject with one part removed or simplified, the largest first.
func simpler(s subject) iter.Seq[subject] {
	return func(yield func(subject) bool) {
		with := func(change func(*subject)) bool {
			changed := s
			change(&changed)
			return yield(changed)
		}
		if s.breakage != nil {
			if !with(func(c *subject) { c.breakage = nil }) {
				return
			}
			if broken, ok := s.breakage.applied(s.config); ok {
				if !with(func(c *subject) { c.config, c.breakage = broken, nil }) {
					return
				}
			}
		}
		for config := range simplerTrees(s.config) {
			if s.breakage != nil {
				if _, ok := s.breakage.applied(config); !ok {
					continue
				}
			}
			if _, ok := config.(object); ok && !with(func(c *subject) { c.config = config }) {
				return
			}
		}
		for user := range simplerTrees(s.evaluation.User) {
			if _, ok := user.(object); (ok || user == nil) && !with(func(c *subject) { c.evaluation.User = user }) {
				return
			}
		}
		for def := range simplerTrees(s.evaluation.Default) {
			if !with(func(c *subject) { c.evaluation.Default = def }) {
				return
			}
		}
	}
}

// simplerTrees yields a tree with one part removed or simplified.
func simplerTrees(v any) iter.Seq[any] {
	return func(yield func(any) bool) {
		switch v := v.(type) {
		case object:
			yieldObjects(v, yield)
		case array:
			yieldArrays(v, yield)
		case string:
			yieldTexts(v, yield)
		}
	}
}

func yieldObjects(v object, yield func(any) bool) {
	if typedValue(v) {
		yield(nil)
		return
	}
	names := slices.Sorted(maps.Keys(v))
	for _, name := range names {
		less := maps.Clone(v)
		delete(less, name)
		if !yield(less) {
			return
		}
	}
	for _, name := range names {
		for member := range simplerTrees(v[name]) {
			changed := maps.Clone(v)
			changed[name] = member
			if !yield(changed) {
				return
			}
		}
	}
}

// typedValue reports whether an object represents a value that JSON cannot.
func typedValue(v object) bool {
	for _, name := range []string{"$date", "$num", "$int", "$float32"} {
		if _, ok := v[name]; ok {
			return true
		}
	}
	return false
}

func yieldArrays(v array, yield func(any) bool) {
	for i := range v {
		if !yield(slices.Delete(slices.Clone(v), i, i+1)) {
			return
		}
	}
	for i := range v {
		for item := range simplerTrees(v[i]) {
			changed := slices.Clone(v)
			changed[i] = item
			if !yield(changed) {
				return
			}
		}
	}
}

func yieldTexts(v string, yield func(any) bool) {
	if v == "" || !yield("") {
		return
	}
	for i, r := range v {
		if !yield(v[:i] + v[i+utf8.RuneLen(r):]) {
			return
		}
	}
}
