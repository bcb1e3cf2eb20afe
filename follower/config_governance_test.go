package follower

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/catbridge/catbridge/internal/testenv/conformance"
)

// S10, S86, S87, through a client.
func TestDataGovernanceConformance(t *testing.T) {
	for _, c := range conformance.Cases[conformance.GovernanceCase](t, "data_governance") {
		if !c.Required() {
			continue
		}
		t.Run(c.Title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var requested []string
				cfg := Config{SDKKey: testSDKKey, Online: true, PollingMode: Manual}
				cfg.Transport = transport(func(req *http.Request) (*http.Response, error) {
					base, found := strings.CutSuffix(req.URL.String(), "/configuration-files/"+testSDKKey+"/config_v6.json")
					if !found {
						t.Errorf("URL %v", req.URL)
					}
					requested = append(requested, base)
					body, ok := c.Responses[base]
					response := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(body)))}
					if !ok {
						response.StatusCode = http.StatusNotFound
					}
					return response, nil
				})
				switch c.DataGovernance {
				case "Global":
				case "EuOnly":
					cfg.DataGovernance = EUOnly
				default:
					t.Fatalf("data governance %q", c.DataGovernance)
				}
				if c.BaseURL != nil {
					cfg.BaseURL = *c.BaseURL
				}
				client, err := New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				defer client.Close()
				for i, want := range c.Calls {
					requested = nil
					err := client.Refresh(t.Context())
					if diff := cmp.Diff(want, requested); diff != "" {
						t.Errorf("call %d: base URLs (-want +got):\n%s", i, diff)
					}
					if d := client.GetStringValueDetails("test", "", nil); (d.Data.VariationID != "" || !d.Data.IsDefaultValue || d.Data.ErrorCode == 2) != c.HasFlags[i] {
						t.Errorf("call %d: %+v, has flags: want %v (%v)", i, d, c.HasFlags[i], err)
					}
				}
			})
		})
	}
}
