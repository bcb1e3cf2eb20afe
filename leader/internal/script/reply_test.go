package script

import "testing"

func TestAMalformedReplyIsAnError(t *testing.T) {
	for _, reply := range [][]any{nil, {}, {int64(1)}, {"OK"}, {"OK", "x", "1", "1", int64(1), "1"}, {"NEWS"}, {"STALE", "1"}} {
		if w, err := parseWriteReply(reply); err == nil {
			t.Errorf("%v gave %+v", reply, w)
		}
	}
}
