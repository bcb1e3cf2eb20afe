package followertest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/follower/followertest"
)

// greeting is the code under test.
func greeting(flags *follower.Client) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !flags.GetBoolValue("greet", false, &follower.UserData{Identifier: r.URL.Query().Get("user")}) {
			http.NotFound(w, r)
		}
	})
}

func TestGreetingFollowsItsFlag(t *testing.T) {
	flags := followertest.New(t, map[string]any{"greet": true})
	handler := greeting(flags.Client)
	status := func() int {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/?user=42", nil))
		return w.Code
	}
	if have := status(); have != http.StatusOK {
		t.Errorf("%d with the flag on", have)
	}
	flags.Set("greet", false)
	if have := status(); have != http.StatusNotFound {
		t.Errorf("%d with the flag off", have)
	}
}
