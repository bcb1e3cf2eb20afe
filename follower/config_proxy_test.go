package follower_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
)

const proxyTestVariable = "CATBRIDGE_TEST_PROXY_OF_THE_ENVIRONMENT"

// net/http reads the variables once, so each case runs in its own process.
func TestAnOnlineFollowerUsesTheProxyOfTheEnvironment_S7(t *testing.T) {
	if os.Getenv(proxyTestVariable) != "" {
		printValueFromCDN()
		return
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Host != "cdn.example.test" {
			t.Errorf("the proxy was asked for %q", r.URL.Host)
		}
		_, _ = io.WriteString(w, `{"f":{"env":{"t":1,"v":{"s":"through the proxy"}}}}`)
	}))
	defer proxy.Close()
	for name, c := range map[string]struct{ variables, want string }{
		"HTTP_PROXY":            {"HTTP_PROXY=" + proxy.URL, "env = through the proxy"},
		"NO_PROXY":              {"HTTP_PROXY=" + proxy.URL + " NO_PROXY=example.test", "env = DEFAULT"},
		"HTTPS_PROXY, not http": {"HTTPS_PROXY=" + proxy.URL, "env = DEFAULT"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAnOnlineFollowerUsesTheProxyOfTheEnvironment_S7$")
			cmd.Env = append(strings.Fields(c.variables), proxyTestVariable+"=1", "GOCOVERDIR="+t.TempDir())
			output, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(output), c.want) {
				t.Errorf("%v, no %q in: %s", err, c.want, output)
			}
		})
	}
}

func printValueFromCDN() {
	c, err := follower.New(follower.Config{
		SDKKey: "configcat-sdk-1/AAAAAAAAAAAAAAAAAAAAAA/BBBBBBBBBBBBBBBBBBBBBB", PollingMode: follower.Manual, Online: true,
		BaseURL: "http://cdn.example.test", HTTPTimeout: 3 * time.Second,
	})
	if err != nil {
		panic(err)
	}
	defer c.Close()
	err = c.Refresh(context.Background())
	os.Stdout.WriteString("refresh: " + errorText(err) + " env = " + c.GetStringValue("env", "DEFAULT", nil) + "\n")
}

func errorText(err error) string {
	if err == nil {
		return "done"
	}
	return err.Error()
}
