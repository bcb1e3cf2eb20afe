package gateway

import (
	"errors"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/stream"
)

// A token may be removed between the check of a request and the start of its stream, whose body may take long.
func TestAStreamStartsOnlyIfItIsStillAllowed(t *testing.T) {
	set := stream.NewSet(stream.Limits{Total: 1, PerClient: 1})
	if _, err := set.OpenWhile("a", func() bool { return false }); !errors.Is(err, stream.ErrNotAllowed) {
		t.Errorf("got %v", err)
	}
	s, err := set.Open("a")
	if err != nil {
		t.Fatalf("the refused stream counts: %v", err)
	}
	s.Close()
}

// A page of another site reaches an SDK that is the only one no more than a named one.
func TestTheOnlySDKIsNotOpenToOtherSites(t *testing.T) {
	e := start(t, func(c *Config) { c.SDKs[0].Name, c.SDKs[0].Tokens = "", nil })
	for header, allowed := range map[string]bool{"Sec-Fetch-Site: same-origin": true, "Sec-Fetch-Site: cross-site": false} {
		_, f := e.permitted(local(post("/api/refresh", "", header)), selector{}, RightRefresh)
		if (f == nil) != allowed {
			t.Errorf("%s: %v", header, f)
		}
	}
}

// A token with few rights must not be the key of an SDK, which has all.
func TestAKeyThatIsATokensPathIsRejected(t *testing.T) {
	client := start(t).flags.Client
	tokens := []Token{{Secret: token, Rights: RightEvaluate}}
	_, err := New(Config{SDKs: []SDK{{Name: "shop", Key: namePrefix + "shop." + token, Tokens: tokens, Client: client}}})
	if err == nil || !strings.Contains(err.Error(), "all rights") || strings.Contains(err.Error(), token) {
		t.Errorf("got %v", err)
	}
}
