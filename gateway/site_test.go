package gateway

import (
	"testing"
	"time"
)

// The age that earlier content had in the same second is not that of the new content, which would
// be refused.
func TestTheAgeIsOfTheContent(t *testing.T) {
	e := start(t)
	s, now := e.table.Load().sites[0], time.Now()
	s.age.Store(&age{of: &content{}, at: now.Unix(), known: true, age: time.Hour})
	c, _ := s.current()
	if a := s.confirmedAgo(c, now); !a.known || a.age > time.Minute {
		t.Errorf("age %v, %v", a.age, a.known)
	}
}

func TestContentThatComesBackHasItsETagBack(t *testing.T) {
	e := start(t)
	one := e.get(byKey).Header.Get("ETag")
	e.flags.Set("version", 2)
	two := e.get(byKey).Header.Get("ETag")
	want(t, e.get(byKey, "If-None-Match: "+one), 200)
	e.flags.Set("version", 1)
	want(t, e.get(byKey, "If-None-Match: "+one), 304, "ETag: "+one)
	want(t, e.get(byKey, "If-None-Match: "+two), 200, "ETag: "+one)
}
