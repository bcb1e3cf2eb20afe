package cdn_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/catbridge/catbridge/internal/cdn"
	"github.com/catbridge/catbridge/internal/testenv/conformance"
)

const sdkKey = "configcat-sdk-1/TEST_KEY-0123456789012/1234567890123456789012"

// roundTrip is a CDN implemented by a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func reply(status int, body string, header ...string) *http.Response {
	resp := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	for i := 0; i < len(header); i += 2 {
		resp.Header.Set(header[i], header[i+1])
	}
	return resp
}

func TestSDKKeyFormatConformance_S3(t *testing.T) {
	type sdkKeyCase struct {
		ID            int
		SDKKey        string
		CustomBaseURL bool
		Valid         bool
	}
	for _, c := range conformance.Cases[sdkKeyCase](t, "sdk_key_format") {
		err := cdn.CheckSDKKey(c.SDKKey, c.CustomBaseURL)
		if (err == nil) != c.Valid {
			t.Errorf("case %d: valid should be %v, got error %v", c.ID, c.Valid, err)
		}
		if err != nil && strings.Contains(err.Error(), c.SDKKey) {
			t.Errorf("case %d: the error holds the SDK key: %v", c.ID, err)
		}
	}
}

func TestDataGovernanceConformance_S10_S86_S87(t *testing.T) {
	for _, c := range conformance.Cases[conformance.GovernanceCase](t, "data_governance") {
		t.Run(c.Title, func(t *testing.T) {
			var requested []string
			cfg := cdn.Config{SDKKey: sdkKey}
			cfg.Transport = roundTrip(func(req *http.Request) (*http.Response, error) {
				base, found := strings.CutSuffix(req.URL.String(), "/configuration-files/"+sdkKey+"/config_v6.json")
				if !found {
					t.Errorf("URL %v", req.URL)
				}
				requested = append(requested, base)
				body, ok := c.Responses[base]
				if !ok {
					return reply(404, ""), nil
				}
				return reply(200, string(body)), nil
			})
			switch c.DataGovernance {
			case "Global":
			case "EuOnly":
				cfg.DataGovernance = cdn.EUOnly
			default:
				t.Fatalf("data governance %q", c.DataGovernance)
			}
			if c.BaseURL != nil {
				cfg.BaseURL = *c.BaseURL
			}
			f, err := cdn.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range c.Calls {
				requested = nil
				resp, err := f.Fetch(t.Context(), "")
				if diff := cmp.Diff(want, requested); diff != "" {
					t.Errorf("call %d: base URLs (-want +got):\n%s", i, diff)
				}
				var config struct{ F map[string]any }
				if err == nil {
					if err := json.Unmarshal(resp.JSON, &config); err != nil {
						t.Fatal(err)
					}
				}
				if got := config.F["test"] != nil; got != c.HasFlags[i] {
					t.Errorf("call %d: has flags: %v, want %v (%v)", i, got, c.HasFlags[i], err)
				}
			}
		})
	}
}
