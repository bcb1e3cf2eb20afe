package follower

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/evalcase"
	"github.com/catbridge/catbridge/internal/testenv/conformance"
)

type userCase struct {
	conformance.Annotations
	Op, Attribute, JSON string
	User                any
	Value               *string
}

// Each user of the table appears correctly in the evaluation log, in a condition, and in the
// attribute of percentage options.
func TestUserObjectConformance_S25_S26_S27_S33(t *testing.T) {
	for _, c := range conformance.Cases[userCase](t, "user_object") {
		if !c.Required() {
			continue
		}
		user, err := evalcase.User(c.User)
		if err != nil {
			t.Fatal(err)
		}
		if c.Op == "json" {
			c.wantInLog(t, userData(user))
			continue
		}
		c.wantAttribute(t, user)
	}
}

// userData returns the same user as a UserData, in which the order of attributes is fixed.
func userData(user User) User {
	attributes, ok := user.(map[string]any)
	if !ok {
		return user
	}
	data := new(UserData)
	data.Identifier, data.Email, data.Country, data.Custom = conformance.UserFields(attributes)
	return data
}

func (c *userCase) wantInLog(t *testing.T, user User) {
	t.Helper()
	log, _ := recorded(slog.LevelInfo)
	heldClient(t, slog.New(log), configJSON(1)).GetBoolValue("isOn", false, user)
	found := log.with(5000)
	if len(found) != 1 || !strings.Contains(found[0].text, "[5000] Evaluating 'isOn' for User '"+c.JSON+"'\n") {
		t.Errorf("case %d: no %s in %+v", c.ID, c.JSON, found)
	}
}

func (c *userCase) wantAttribute(t *testing.T, user User) {
	t.Helper()
	quote := func(s string) string {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	value := ""
	if c.Value != nil {
		value = *c.Value
	}
	client := heldClient(t, nil, []byte(`{"f":{`+
		`"isSet":{"t":0,"a":`+quote(c.Attribute)+`,"p":[{"p":100,"v":{"b":true}}],"v":{"b":false}},`+
		`"equals":{"t":0,"r":[{"c":[{"u":{"a":`+quote(c.Attribute)+`,"c":28,"s":`+quote(value)+`}}],"s":{"v":{"b":true}}}],"v":{"b":false}}}}`))
	if got := client.GetBoolValue("isSet", false, user); got != (c.Value != nil) {
		t.Errorf("case %d: is it set? %v", c.ID, got)
	}
	if got := client.GetBoolValue("equals", false, user); got != (value != "") { // S27: "" is missing in a condition
		t.Errorf("case %d: does it equal %q? %v", c.ID, value, got)
	}
}
