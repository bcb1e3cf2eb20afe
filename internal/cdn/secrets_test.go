package cdn_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/catbridge/catbridge/internal/cdn"
)

const (
	keyPart1, keyPart2 = "SECRET_first_half_0001", "secret_second-half0002"
	secretKey          = "configcat-sdk-1/" + keyPart1 + "/" + keyPart2
	secretPassword     = "hunter2 & more"
)

// betrayed fails the test if text contains more of a secret than S103 allows.
func betrayed(t *testing.T, where, text string) {
	t.Helper()
	low := strings.ToLower(text)
	for _, secret := range []string{keyPart1, keyPart2, secretPassword, url.QueryEscape(secretPassword), url.PathEscape(secretPassword)} {
		if strings.Contains(low, strings.ToLower(secret)) {
			t.Errorf("%s holds %q: %s", where, secret, text)
		}
	}
	if strings.Contains(low, keyPart2[len(keyPart2)-7:]) {
		t.Errorf("%s holds more than 6 characters of the SDK key: %s", where, text)
	}
}

// wordy is a transport's error with the URL in a layer of its own.
type wordy struct {
	text  string
	inner error
}

func (e wordy) Error() string { return e.text }
func (e wordy) Unwrap() error { return e.inner }

func TestErrorsAndLogsContainNoSecret_S103_F34(t *testing.T) {
	echo := func(req *http.Request) string { return req.URL.String() + " " + secretPassword }
	for name, serve := range map[string]roundTrip{
		"url.Error": func(req *http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: "Get", URL: req.URL.String(), Err: &url.Error{Op: "Get", URL: req.URL.String(), Err: errReset}}
		},
		"url.Error, wrapped": func(req *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("my transport: %w", &url.Error{Op: "Get", URL: req.URL.String(), Err: errReset})
		},
		"text": func(req *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("cannot get %s (%q): %w", echo(req), echo(req), errReset)
		},
		"inner text": func(req *http.Request) (*http.Response, error) {
			return nil, wordy{"outside", wordy{echo(req), errReset}}
		},
		"joined": func(req *http.Request) (*http.Response, error) {
			return nil, errors.Join(errReset, wordy{"one of two", errors.Join(nil, errors.New(echo(req)))})
		},
		"timeout": func(req *http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: "Get", URL: req.URL.String(), Err: context.DeadlineExceeded}
		},
		"ray id": func(*http.Request) (*http.Response, error) { return reply(500, "", "CF-RAY", keyPart2), nil },
		"status": func(req *http.Request) (*http.Response, error) {
			resp := reply(502, echo(req))
			resp.Status = "502 " + echo(req)
			return resp, nil
		},
		"bad key": func(req *http.Request) (*http.Response, error) { return reply(404, echo(req), "CF-RAY", keyPart1), nil },
		"encoding": func(*http.Request) (*http.Response, error) {
			return reply(200, config, "Content-Encoding", keyPart1+"/"+keyPart2), nil
		},
		"location": func(req *http.Request) (*http.Response, error) {
			return reply(302, "", "Location", "https://"+keyPart1+"/"), nil
		},
		"bad location": func(req *http.Request) (*http.Response, error) {
			return reply(302, "", "Location", "https://h:"+keyPart2), nil
		},
		"location with a password": func(req *http.Request) (*http.Response, error) {
			return reply(302, "", "Location", "https://u:"+url.QueryEscape(secretPassword)+"@evil.example"), nil
		},
		"redirect": func(*http.Request) (*http.Response, error) {
			return reply(200, `{"p":{"u":"https://`+keyPart1+`.example","r":1}}`), nil
		},
		"redirect next time": func(*http.Request) (*http.Response, error) {
			return reply(200, `{"p":{"u":"https://`+keyPart2+`.example","r":0},"f":{"broken":0}}`), nil
		},
		"check": func(*http.Request) (*http.Response, error) { return reply(200, `{"f":{"broken":0}}`), nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				cfg := cdn.Config{
					SDKKey: secretKey,
					Check: func([]byte) error {
						return fmt.Errorf("%w: broken in %s", io.ErrNoProgress, secretKey)
					},
					Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
				}
				if !strings.HasPrefix(name, "redirect") { // a configured base URL is not redirected
					cfg.BaseURL = "https://user:" + url.QueryEscape(secretPassword) + "@cdn.example.com"
					cfg.BaseURL = strings.ReplaceAll(cfg.BaseURL, "+", "%20")
				}
				e := failure(t, newFetcher(t, cfg, serve), "")
				betrayed(t, "the error", e.Error())
				betrayed(t, "the error, printed whole", fmt.Sprintf("%v %+v %q", e, e, e))
				betrayed(t, "the ray id", e.RayID)
				var walk func(error)
				walk = func(err error) {
					if err == nil {
						return
					}
					betrayed(t, fmt.Sprintf("a %T within", err), err.Error())
					switch err := err.(type) {
					case interface{ Unwrap() error }:
						walk(err.Unwrap())
					case interface{ Unwrap() []error }:
						for _, inner := range err.Unwrap() {
							walk(inner)
						}
					}
				}
				walk(e)
				if inner, ok := errors.AsType[*url.Error](e); ok {
					t.Errorf("the URL can be reached: %v", inner)
				}
				betrayed(t, "the log", log.String())
				cause := map[string]error{"check": io.ErrNoProgress, "text": errReset, "timeout": context.DeadlineExceeded}[name]
				if cause != nil && !errors.Is(e, cause) {
					t.Errorf("the cause %v is lost: %v", cause, e.Err)
				}
			})
		})
	}
}

func TestLongErrorTextIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFetcher(t, cdn.Config{}, func(*http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("%s: %w", strings.Repeat("é", 1<<20), errReset)
		})
		if e := failure(t, f, ""); len(e.Err.Error()) > 1100 || !errors.Is(e, errReset) {
			t.Errorf("%d bytes", len(e.Err.Error()))
		}
	})
}
