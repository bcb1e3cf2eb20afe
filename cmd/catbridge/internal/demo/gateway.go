package demo

import (
	"context"
	"fmt"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/httpd"
	"github.com/catbridge/catbridge/gateway"
)

// serveSDKs serves the config of the first follower to official SDKs, as catbridge serve does, and the
// dashboard of a leader.
func (d *demo) serveSDKs() error {
	g, err := gateway.New(gateway.Config{
		Hold: gateway.MaxHold, SDKs: []gateway.SDK{{Name: keyName, Key: d.sdkKey, Client: d.readers[0].Client}},
	})
	if err != nil {
		return err
	}
	watch, err := d.newDashboard()
	if err != nil {
		g.Close()
		return err
	}
	server, err := httpd.NewServe(httpd.ServeConfig{
		Addr: "127.0.0.1:0", Gateway: g, NewUI: watch.open, Drain: func(ctx context.Context) { g.Drain(ctx, 0) },
		Report: func() httpd.ServeStatus { return httpd.ServeStatus{Ready: true} }, Authorized: func(string) bool { return false },
		MaxConnections: maxConnections, Logger: d.log.With("part", "serve"),
	})
	if err != nil {
		g.Close()
		watch.close()
		return fmt.Errorf("start the server for SDKs: %w", err)
	}
	d.baseURL = "http://" + server.Addr().String()
	d.wg.Go(func() { watch.run(d.ctx) })
	d.wg.Go(func() {
		if err := server.Run(d.ctx); err != nil {
			d.screen.eventf("the server for SDKs failed: %v", err)
		}
		g.Close()
	})
	return nil
}

// maxConnections bounds those to the server for SDKs and the dashboard.
const maxConnections = 512
