package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// manager is the socket of a service manager.
type manager struct {
	*testing.T
	conn *net.UnixConn
}

func newManager(t *testing.T, socket string) manager {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return manager{t, conn}
}

// want waits for the next report.
func (m manager) want(report string) {
	m.Helper()
	buffer := make([]byte, 1000)
	if err := m.conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		m.Fatal(err)
	}
	n, err := m.conn.Read(buffer)
	if err != nil {
		m.Fatalf("no %s: %v", report, err)
	}
	if have := string(buffer[:n]); have != report {
		m.Errorf("the report is %q, want %q", have, report)
	}
}

// wantNone checks that nothing was reported up to now.
func (m manager) wantNone() {
	m.Helper()
	if err := m.conn.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		m.Fatal(err)
	}
	buffer := make([]byte, 1000)
	if n, err := m.conn.Read(buffer); err == nil {
		m.Errorf("reported already: %q", buffer[:n])
	}
}

func TestAServiceIsReadyOnceItTakesPartInTheElections(t *testing.T) {
	for name, socket := range map[string]string{
		"path":     filepath.Join(t.TempDir(), "notify"),
		"abstract": "@catbridge-test-" + filepath.Base(t.TempDir()) + "-" + filepath.Base(filepath.Dir(t.TempDir())),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newManager(t, socket)
			e := newEnds(t)
			redis := redistest.Start(t)
			redis.Kill()
			p := startProcess(t, append(e.environment, "CATBRIDGE_REDIS_URL="+redis.URL(), "NOTIFY_SOCKET="+socket), "leader")
			p.expect(t, 0, `refused`) // Redis does not answer
			m.wantNone()
			redis.Restart(t)
			m.want("READY=1")

			mark := len(p.all())
			p.signal(t, syscall.SIGHUP)
			p.expect(t, mark, `the settings have not changed`)
			p.signal(t, syscall.SIGTERM)
			m.want("STOPPING=1")
			<-p.ended
			if code := p.cmd.ProcessState.ExitCode(); code != exitOK {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

func TestAServiceWhoseManagerCannotBeNotifiedLeads(t *testing.T) {
	for _, socket := range []string{"/absent/notify", "vsock:2:1234"} {
		e := newEnds(t)
		p := startProcess(t, append(e.environment, "NOTIFY_SOCKET="+socket), "leader")
		p.expect(t, 0, `the service manager could not be notified`)
		e.holds(1)
		p.interrupt(t)
	}
}

// A panic of a Go program exits with 2, after which a service must be restarted.
func TestWrongSettingsAndCrashesHaveDifferentExitCodes(t *testing.T) {
	text, err := os.ReadFile("../../deploy/systemd/catbridge.service")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\nRestartPreventExitStatus=78\n") || exitConfig != 78 {
		t.Error("the unit prevents restarts after another code than that for wrong settings")
	}
}
