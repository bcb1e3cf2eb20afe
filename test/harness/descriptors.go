package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// descriptors counts the open descriptors of this process, by kind or name. It is empty on
// a system that does not list them.
func descriptors() map[string]int { return descriptorsOf("self") }

func descriptorsOf(pid string) map[string]int {
	dir := filepath.Join("/proc", pid, "fd")
	all, _ := os.ReadDir(dir)
	open := map[string]int{}
	for _, d := range all {
		// The descriptor of the folder itself is closed by now.
		if name, err := os.Readlink(filepath.Join(dir, d.Name())); err == nil {
			if kind, _, _ := strings.Cut(name, ":["); kind == "socket" || kind == "pipe" {
				name = kind
			}
			open[name]++
		}
	}
	return open
}

// descriptorsLeft returns the descriptors that are open and were not before. Connections
// may take a moment to close.
func descriptorsLeft(before map[string]int) (left []string) {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		left = nil
		for kind, n := range descriptors() {
			// The runtime opens these once.
			if n > before[kind] && !strings.HasPrefix(kind, "anon_inode:[event") {
				left = append(left, fmt.Sprintf("%d more of %s", n-before[kind], kind))
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
	}
}
