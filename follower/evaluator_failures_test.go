package follower

import (
	"testing"

	"github.com/catbridge/catbridge/evaluate"
)

func failingClient(t testing.TB, json []byte) *Client {
	t.Helper()
	c := heldClient(t, nil, json)
	c.failed = new(failures)
	return c
}

func TestFailedEvaluationsAreCountedByCause(t *testing.T) {
	broken := []byte(`{"f":{"isOn":{"t":0,"v":{"b":true}},"bad":{"t":7,"v":{"b":true}},"worse":{"t":0}}}`)
	for name, c := range map[string]struct {
		json []byte
		call func(c *Client)
		want EvaluationErrors
	}{
		"good":                   {broken, func(c *Client) { c.GetBoolValue("isOn", false, nil) }, EvaluationErrors{}},
		"value, no config":       {nil, func(c *Client) { c.GetBoolValue("isOn", false, nil) }, EvaluationErrors{NoConfig: 1}},
		"details, no config":     {nil, func(c *Client) { c.GetBoolValueDetails("isOn", false, nil) }, EvaluationErrors{NoConfig: 1}},
		"all values, no config":  {nil, func(c *Client) { c.GetAllValues(nil) }, EvaluationErrors{NoConfig: 1}},
		"all details, no config": {nil, func(c *Client) { c.GetAllValueDetails(nil) }, EvaluationErrors{NoConfig: 1}},
		"no such key":            {broken, func(c *Client) { c.GetBoolValue("isOf", false, nil) }, EvaluationErrors{NoSuchKey: 1}},
		"wrong type":             {broken, func(c *Client) { c.GetStringValue("isOn", "", nil) }, EvaluationErrors{WrongType: 1}},
		"broken":                 {broken, func(c *Client) { c.GetBoolValueDetails("bad", false, nil) }, EvaluationErrors{BrokenFlag: 1}},
		"all values, two broken": {broken, func(c *Client) { c.GetAllValues(nil) }, EvaluationErrors{BrokenFlag: 2}},
		"all details, the same":  {broken, func(c *Client) { c.GetAllValueDetails(nil) }, EvaluationErrors{BrokenFlag: 2}},
		"snapshot":               {broken, func(c *Client) { c.Snapshot(nil).GetValue("isOf") }, EvaluationErrors{NoSuchKey: 1}},
		"flag":                   {broken, func(c *Client) { Int("isOn", 1).Get(c.Snapshot(nil)) }, EvaluationErrors{WrongType: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			client := failingClient(t, c.json)
			c.call(client)
			if got := client.failed.read(); got != c.want {
				t.Errorf("counted %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestAFailureIsCountedOnceWithHooks(t *testing.T) {
	c := failingClient(t, configJSON(1))
	c.hooks = startHooks(&Hooks{OnFlagEvaluated: func(*EvaluationDetails) {}}, c.log)
	t.Cleanup(c.hooks.close)
	c.GetBoolValue("none", false, nil)
	c.GetAllValues(nil)
	if got := c.failed.read(); got != (EvaluationErrors{NoSuchKey: 1}) {
		t.Errorf("counted %+v", got)
	}
}

func TestAClientCountsItsFailures(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		c := n.start(t)
		c.GetBoolValue("isOn", false, nil)
		if got := c.Stats().EvaluationErrors.NoConfig; got != 1 {
			t.Errorf("counted %d", got)
		}
	})
}

func BenchmarkCountFailureNoAlloc(b *testing.B) {
	c := failingClient(b, nil)
	b.ReportAllocs()
	for b.Loop() {
		c.failed.countCode(evaluate.CodeNoSuchKey)
	}
}
