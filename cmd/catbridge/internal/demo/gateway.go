package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/catbridge/catbridge/gateway"
)

// serveSDKs serves the config of the first follower to official SDKs, as catbridge serve does.
func (d *demo) serveSDKs() error {
	g, err := gateway.New(gateway.Config{
		Hold: gateway.MaxHold, SDKs: []gateway.SDK{{Name: keyName, Key: d.sdkKey, Client: d.readers[0].Client}},
	})
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(d.ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		g.Close()
		return fmt.Errorf("start the server for SDKs: %w", err)
	}
	d.baseURL = "http://" + listener.Addr().String()
	server := &http.Server{
		Handler: g, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(d.log.Handler(), slog.LevelDebug),
	}
	d.wg.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			d.screen.eventf("the server for SDKs failed: %v", err)
		}
	})
	d.wg.Go(func() {
		<-d.ctx.Done()
		g.Close() // answers the held requests
		ctx, cancel := context.WithTimeout(context.WithoutCancel(d.ctx), time.Second)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			server.Close()
		}
	})
	return nil
}
