package cachekeys_test

import (
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/conformance"
)

type cacheCase struct {
	conformance.Annotations
	Op            string
	SDKKey        string
	CacheKey      string
	FetchTime     time.Time
	FetchTimeMs   int64
	ETag          string
	ConfigJSON    string
	Payload       string
	Valid         bool
	ErrorContains string
}

// choices lists the expected result where the official SDKs differ from each other.
var choices = map[int]struct {
	accepted bool
	because  string
}{
	14: {true, "an empty ETag is read as none, as the JavaScript SDK does; it is never written (S92)"},
	15: {false, "an entry without a config is refused, as Go and Java do: it must not replace content (I4)"},
}

func TestOfficialCacheFormat(t *testing.T) {
	for _, c := range conformance.Cases[cacheCase](t, "cache") {
		switch c.Op {
		case "key":
			if key := cachekeys.Key(c.SDKKey); key != c.CacheKey {
				t.Errorf("case %d: key %s, want %s", c.ID, key, c.CacheKey)
			}
		case "serialize":
			entry := cachekeys.Entry{FetchTime: c.FetchTime.UnixMilli(), ETag: c.ETag, JSON: []byte(c.ConfigJSON)}
			if payload := string(entry.Append(nil)); payload != c.Payload {
				t.Errorf("case %d: payload %q, want %q", c.ID, payload, c.Payload)
			}
		case "deserialize":
			if !c.Required() {
				choice, ok := choices[c.ID]
				if !ok {
					t.Errorf("case %d: official SDKs differ here (%v), and no choice is stated", c.ID, c.SDKDifference)
				}
				t.Logf("case %d: %v. Here: %s", c.ID, c.SDKDifference, choice.because)
				c.Valid = choice.accepted
			}
			checkDeserialize(t, c)
		default:
			t.Errorf("case %d: unknown op %q", c.ID, c.Op)
		}
	}
}

func checkDeserialize(t *testing.T, c cacheCase) {
	entry, err := cachekeys.ParseEntry([]byte(c.Payload))
	if !c.Valid {
		requireParseError(t, err)
		if err != nil && !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(c.ErrorContains)) {
			t.Errorf("case %d: error %q does not contain %q", c.ID, err, c.ErrorContains)
		}
		return
	}
	if err != nil {
		t.Errorf("case %d: refused: %v", c.ID, err)
		return
	}
	if entry.FetchTime != c.FetchTimeMs || entry.ETag != c.ETag || string(entry.JSON) != c.ConfigJSON {
		t.Errorf("case %d: read as %+v", c.ID, entry)
	}
	if want := time.UnixMilli(c.FetchTimeMs); !entry.Time().Equal(want) || entry.Time().Location() != time.UTC {
		t.Errorf("case %d: time %v, want %v in UTC", c.ID, entry.Time(), want)
	}
}
