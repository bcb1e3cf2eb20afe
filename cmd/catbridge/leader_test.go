package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestAFailureEndsTheOtherParts(t *testing.T) {
	errFailed := errors.New("failed by the test")
	ended := false
	err := together(t.Context(), time.Hour,
		func(ctx context.Context) error { <-ctx.Done(); ended = true; return nil },
		func(context.Context) error { return errFailed },
		func(context.Context) error { return nil },
	)
	if !errors.Is(err, errFailed) || !ended {
		t.Errorf("%v, the other ended: %v", err, ended)
	}
}

func TestTheShutdownIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		hangs := make(chan struct{})
		defer close(hangs)
		began := time.Now()
		err := together(ctx, shutdownTimeout, func(context.Context) error { <-hangs; return nil })
		if !errors.Is(err, errShutdown) || time.Since(began) != shutdownTimeout {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}
