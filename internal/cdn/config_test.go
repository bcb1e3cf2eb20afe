package cdn_test

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/catbridge/catbridge/internal/cdn"
)

func TestNewRejectsInvalidConfigs_S3_S4_S7_S8_S10(t *testing.T) {
	const password = "pa55word"
	for says, cfg := range map[string]cdn.Config{
		"SDKKey: the SDK key is empty":              {},
		"SDKKey: the SDK key \"…er key\"":           {SDKKey: "some other key"},
		"needs a base URL":                          {SDKKey: "configcat-proxy/a-name-of-a-proxy"},
		"not valid UTF-8":                           {SDKKey: strings.Repeat("\xff", 22) + "/" + strings.Repeat("a", 22)},
		"DataGovernance: data governance 2":         {SDKKey: sdkKey, DataGovernance: 2},
		"BaseURL: invalid URL: the scheme":          {SDKKey: sdkKey, BaseURL: "cdn.example.com"},
		"BaseURL: invalid URL: the host":            {SDKKey: sdkKey, BaseURL: "https://"},
		"BaseURL: invalid URL: want no query":       {SDKKey: sdkKey, BaseURL: "https://cdn.example.com?a=b"},
		"BaseURL: invalid URL: details withheld":    {SDKKey: sdkKey, BaseURL: "https://user:" + password + "/@cdn.example.com"},
		"BaseURL: invalid URL: the port":            {SDKKey: sdkKey, BaseURL: "https://user:" + password + "@cdn.example.com:70000"},
		"ProxyURL: the scheme":                      {SDKKey: sdkKey, ProxyURL: "proxy.example.com:8080"},
		"ProxyURL: details withheld":                {SDKKey: sdkKey, ProxyURL: "http://user:" + password + "%zz@proxy.example.com"},
		"ProxyURL: the host":                        {SDKKey: sdkKey, ProxyURL: "http://user:" + password + "@"},
		"ProxyURL: want nothing":                    {SDKKey: sdkKey, ProxyURL: "http://user:" + password + "@proxy.example.com/path"},
		"ProxyURL: not allowed with":                {SDKKey: sdkKey, ProxyURL: "http://proxy.example.com", Transport: http.DefaultTransport},
		"ConnectTimeout: -1s is negative":           {SDKKey: sdkKey, ConnectTimeout: -time.Second},
		"HTTPTimeout: -1ns is negative":             {SDKKey: sdkKey, HTTPTimeout: -1},
		"MaxBodyBytes: -1":                          {SDKKey: sdkKey, MaxBodyBytes: -1},
		"MaxBodyBytes: 9223372036854775807":         {SDKKey: sdkKey, MaxBodyBytes: math.MaxInt64},
		"AllowedHosts: \"https://cdn.example.com\"": {SDKKey: sdkKey, AllowedHosts: []string{"https://cdn.example.com"}},
		"UserAgent: \"a\\nb\" cannot":               {SDKKey: sdkKey, UserAgent: "a\nb"},
	} {
		f, err := cdn.New(cfg)
		if f != nil || err == nil || !strings.HasPrefix(err.Error(), "cdn: ") || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want an error that says %s", err, says)
			continue
		}
		if strings.Contains(err.Error(), password) {
			t.Errorf("the error holds the password: %v", err)
		}
	}
}

func TestNewAcceptsDocumentedConfigs(t *testing.T) {
	for _, cfg := range []cdn.Config{
		{SDKKey: sdkKey},
		{SDKKey: sdkKey, BaseURL: "http://localhost:8080/a/b/"},
		{SDKKey: sdkKey, BaseURL: "https://user:password@[::1]:8443"},
		{SDKKey: "configcat-proxy/x", BaseURL: "https://proxy.example.com"},
		{SDKKey: sdkKey, ProxyURL: "http://user:password@proxy.example.com:8080/"},
		{SDKKey: sdkKey, ProxyURL: "https://proxy.example.com"},
		{SDKKey: sdkKey, ProxyURL: "socks5://user:password@10.0.0.1:1080"},
		{SDKKey: sdkKey, ProxyURL: "socks5h://proxy:1080"},
		{SDKKey: sdkKey, AllowedHosts: []string{"cdn.example.com", "cdn.example.com:8443", "*.example.com", "10.0.0.1", "10.0.0.1:80", "::1", "[::1]:80"}},
	} {
		f, err := cdn.New(cfg)
		if err != nil {
			t.Errorf("%+v: %v", cfg, err)
			continue
		}
		f.Close()
	}
}

func TestMaskShowsAtMostTheLastSixCharacters_S103(t *testing.T) {
	for key, want := range map[string]string{
		"":     "",
		sdkKey: "…789012",
		"TEST_KEY-0123456789012/1234567890123456789012": "…789012",
		"configcat-proxy/environment-1":                 "…ment-1",
		"configcat-proxy/abcd":                          "…cd",
		"configcat-proxy/a":                             "…",
		"configcat-proxy/":                              "…",
		"short":                                         "…rt",
		"x":                                             "…",
		"ключ-к-мосту":                                  "…-мосту",
		strings.Repeat("k", 1<<20):                      "…kkkkkk",
		"\xff\xfe\xfd\xfc":                              "…\ufffd\ufffd",
	} {
		if got := cdn.Mask(key); got != want {
			t.Errorf("%.80q: %q, want %q", key, got, want)
		}
	}
}

// A service that is given the setting of catbridge, with its name, learns what is wrong with it.
func TestANameBeforeTheSDKKeyIsReported(t *testing.T) {
	for key, reported := range map[string]bool{
		"shop=" + sdkKey: true,
		"shop=" + strings.Repeat("a", 22) + "/" + strings.Repeat("b", 22): true,
		"shop=" + sdkKey + "c": false,
		"=" + sdkKey:           false,
	} {
		err := cdn.CheckSDKKey(key, false)
		if err == nil {
			t.Errorf("%q is accepted", key)
		} else if strings.Contains(err.Error(), "has a name") != reported || strings.Contains(err.Error(), key) {
			t.Errorf("%q: %v", key, err)
		}
	}
}

func FuzzMask(f *testing.F) {
	for _, seed := range []string{"", sdkKey, "configcat-proxy/x", "a/", "/////////", "\xff/\xff", "…"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		masked := cdn.Mask(key)
		shown, hidden := strings.CutPrefix(masked, "…")
		if hidden != (key != "") || utf8.RuneCountInString(shown) > 6 {
			t.Fatalf("%q becomes %q", key, masked)
		}
		if utf8.ValidString(key) && !strings.HasSuffix(key, shown) || key != "" && shown == key {
			t.Fatalf("%q becomes %q", key, masked)
		}
		// Errors quote checked keys, whatever they contain.
		if err := cdn.CheckSDKKey(key, true); err != nil && !utf8.ValidString(err.Error()) {
			t.Fatalf("%q gives %q", key, err)
		}
	})
}
