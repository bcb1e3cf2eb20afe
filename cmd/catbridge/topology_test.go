package main

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/localcdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// TestAllCommandsReachEveryTopologyWithOneFile uses Sentinels and a cluster that require
// certificates, users and passwords.
func TestAllCommandsReachEveryTopologyWithOneFile(t *testing.T) {
	const users = "user default off\nuser admin on >of-admin ~* &* +@all\nuser app on >" + testPassword + " ~* &* +@all\n"
	cdn := httptest.NewServer(localcdn.New(testContent(t, "one"), slog.New(slog.DiscardHandler)))
	t.Cleanup(cdn.Close) // after the parallel tests
	for name, start := range map[string]func(*testing.T, *redistest.Guard) string{
		"sentinel": func(t *testing.T, g *redistest.Guard) string {
			var addresses []string
			for _, sentinel := range g.StartSentinel(t, 0).Sentinels {
				addresses = append(addresses, sentinel.Addr())
			}
			return fmt.Sprintf("mode: sentinel\n  master_name: %s\n  addresses: [%s]\n  sentinel_username: app\n  sentinel_password_file: password",
				redistest.MasterName, strings.Join(addresses, ", "))
		},
		"cluster": func(t *testing.T, g *redistest.Guard) string {
			return fmt.Sprintf("mode: cluster\n  addresses: [%s]", g.StartCluster(t, 3, 0).Nodes()[0].Addr())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			admin := redistest.User{Name: "admin", Password: "of-admin"}
			g := &redistest.Guard{
				Authority: redistest.NewAuthority(t), Nodes: users, Sentinels: users,
				Admin: admin, Replica: admin, Sentinel: admin, Discover: admin,
			}
			client := g.Authority.Issue(t, "client")
			path := filepath.Join(t.TempDir(), "catbridge.yaml")
			for name, text := range map[string]string{
				path: fmt.Sprintf("sdk_keys: [{name: shop, key: %s}]\nbase_url: %s\nredis:\n  %s\n  username: app\n  password_file: password\n"+
					"  tls: {enabled: true, ca_file: %s, cert_file: %s, key_file: %s}\n",
					testKey, cdn.URL, start(t, g), g.Authority.CAFile, client.CertFile, client.KeyFile),
				filepath.Join(filepath.Dir(path), "password"): testPassword,
			} {
				if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			environment := []string{"CATBRIDGE_CONFIG=" + path}
			leader := startProcess(t, environment, "leader")
			leader.expect(t, 0, `A new config was published`)
			for command, want := range map[string]string{
				"watch --once": `value text = "one"`, "refresh": `shop: the leader polled`, "status": `shop`, "config check": "the settings are valid",
			} {
				p := startProcess(t, environment, strings.Fields(command)...)
				p.expect(t, 0, want)
				<-p.ended
				if code := p.cmd.ProcessState.ExitCode(); code != 0 {
					t.Errorf("%s: exit code %d\n%s", command, code, p.all())
				}
			}
			leader.interrupt(t)
		})
	}
}
