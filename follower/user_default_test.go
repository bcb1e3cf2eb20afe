package follower

import (
	"sync"
	"testing"

	"github.com/catbridge/catbridge/internal/evalcase"
	"github.com/catbridge/catbridge/internal/testenv/conformance"
)

func TestTheDefaultUserIsUsedWhereNoneIsGiven_S11(t *testing.T) {
	c := heldClient(t, nil, configJSON(1))
	ours := &UserData{Email: "a@example.com"}
	var nobody *UserData
	type account struct{ Email string }
	c.SetDefaultUser(ours)
	for name, got := range map[string]any{
		"value":                 c.GetStringValue("text", "", nil),
		"value, nil *UserData":  c.GetStringValue("text", "", nobody),
		"value, nil map":        c.GetStringValue("text", "", map[string]any(nil)),
		"value, nil pointer":    c.GetStringValue("text", "", (*account)(nil)),
		"details":               c.GetStringValueDetails("text", "", nil).Value,
		"details' user":         map[bool]string{true: "ours"}[c.GetStringValueDetails("text", "", nil).Data.User == ours],
		"all values":            c.GetAllValues(nil)["text"],
		"all values, *UserData": c.GetAllValues(nobody)["text"],
	} {
		if got != "ours" {
			t.Errorf("%s: %v", name, got)
		}
	}
	for _, given := range []User{&UserData{Email: "a@else.where"}, UserData{}, map[string]any{}, account{}, &account{"a@else.where"}} {
		if got := c.GetStringValue("text", "", given); got != "theirs" {
			t.Errorf("%#v was given: %v", given, got)
		}
	}
	for name, clear := range map[string]func(){
		"ClearDefaultUser":              c.ClearDefaultUser,
		"SetDefaultUser(nil)":           func() { c.SetDefaultUser(nil) },
		"SetDefaultUser(nil *UserData)": func() { c.SetDefaultUser(nobody) },
	} {
		c.SetDefaultUser(ours)
		clear()
		for _, given := range []User{nil, nobody} {
			if d := c.GetStringValueDetails("text", "", given); d.Value != "theirs" || d.Data.User != nil {
				t.Errorf("%s: %+v", name, d)
			}
		}
	}
}

func TestTheDefaultUserMayChangeAtAnyTime_S11(t *testing.T) {
	c := heldClient(t, nil, configJSON(1))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 100 {
				c.SetDefaultUser(&UserData{Email: "a@example.com"})
				if got := c.GetStringValue("text", "", nil); got != "ours" && got != "theirs" {
					t.Error(got)
				}
				c.ClearDefaultUser()
			}
		})
	}
	group.Wait()
}

func TestDefaultUserConformance_S11(t *testing.T) {
	type step struct {
		Get            *struct{ User any }
		Value          string
		VariationID    string
		SetDefaultUser any
		ClearDefault   bool `json:"clearDefaultUser"`
	}
	type defaultUserCase struct {
		ID                 int
		InitialDefaultUser any
		Steps              []step
	}
	user := func(decoded any) User {
		u, err := evalcase.User(decoded)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	json := conformance.File(t, "configs", "eye_color_rules.json")
	for _, c := range conformance.Cases[defaultUserCase](t, "default_user") {
		client := heldClient(t, nil, json)
		client.SetDefaultUser(user(c.InitialDefaultUser))
		for i, s := range c.Steps {
			switch {
			case s.Get != nil:
				if d := client.GetStringValueDetails("debug", "N/A", user(s.Get.User)); d.Value != s.Value || d.Data.VariationID != s.VariationID {
					t.Errorf("case %d, step %d: %q, %q", c.ID, i, d.Value, d.Data.VariationID)
				}
			case s.ClearDefault:
				client.ClearDefaultUser()
			default:
				client.SetDefaultUser(user(s.SetDefaultUser))
			}
		}
	}
}
