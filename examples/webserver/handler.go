package main

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/metrics"
)

// newHandler returns a handler for
//
//	GET /        a page that depends on the flag newCheckout
//	GET /flags   all flags as JSON, for the user in the query
//	GET /ready   200 if the follower has flags, else 503
//	GET /metrics Prometheus metrics
func newHandler(flags *follower.Client) http.Handler {
	followers := metrics.NewFollowerCollector()
	if err := followers.Add("main", flags); err != nil {
		panic(err) // cannot happen: the name is valid and unique
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(followers, collectors.NewGoCollector())

	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if flags.GetBoolValue("newCheckout", false, userOf(r)) {
			fmt.Fprintln(w, "the new checkout")
		} else {
			fmt.Fprintln(w, "the old checkout")
		}
	})
	mux.HandleFunc("GET /flags", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(flags.GetAllValues(userOf(r)))
	})
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) {
		state := flags.CacheState()
		if state == follower.NoFlagData {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		fmt.Fprintln(w, state)
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return mux
}

func userOf(r *http.Request) follower.User {
	query := r.URL.Query()
	if !query.Has("user") {
		return nil
	}
	return &follower.UserData{
		Identifier: query.Get("user"),
		Email:      query.Get("email"),
		Country:    query.Get("country"),
	}
}
