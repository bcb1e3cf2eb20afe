package cachekeys_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/cachekeys"
)

func TestNamesHangOnTheOfficialKey(t *testing.T) {
	const sdkKey = "configcat-sdk-1/TEST_KEY-0123456789012/1234567890123456789012"
	keys := cachekeys.For(sdkKey)
	const h = "f83ba5d45bceb4bb704410f51b704fb6dfa19942"
	want := cachekeys.Keys{
		Entry:  h,
		Lock:   "catbridge:{" + h + "}:lock",
		Meta:   "catbridge:{" + h + "}:meta",
		Blob:   "catbridge:{" + h + "}:blob",
		Fleet:  "catbridge:{" + h + "}:fleet",
		Events: "catbridge:{" + h + "}:events",
	}
	if keys != want {
		t.Errorf("names %+v", keys)
	}
	if got := keys.Hook("1f"); got != "catbridge:{"+h+"}:hook:1f" {
		t.Errorf("a webhook's ID lies at %s", got)
	}
	names := reflect.ValueOf(keys)
	for i := range names.NumField() {
		for part := range strings.SplitSeq(sdkKey, "/") {
			if strings.Contains(names.Field(i).String(), part) {
				t.Errorf("%s shows a part of the SDK key (I13)", names.Type().Field(i).Name)
			}
		}
	}
}

func TestLockRoundTrip(t *testing.T) {
	for _, epoch := range []int64{0, 1, cachekeys.MaxRev} {
		for _, leader := range []string{"a", strings.Repeat("x", 64)} {
			id, have, err := cachekeys.ParseLock(cachekeys.LockValue(leader, epoch))
			if err != nil || id != leader || have != epoch {
				t.Errorf("%s, %d came back as %s, %d, %v", leader, epoch, id, have, err)
			}
		}
	}
}

func TestLockRefusesWhatIsNotOne(t *testing.T) {
	for _, value := range []string{
		"", ":", "leader", "leader:", ":1", "leader:-1", "leader:01", "leader:1 ", "leader:1:2", "leader:10000000000000",
		strings.Repeat("x", 65) + ":1", strings.Repeat(":", 1<<20),
	} {
		_, _, err := cachekeys.ParseLock(value)
		requireParseError(t, err, "lock")
	}
}
