package harness

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/program"
	"github.com/catbridge/catbridge/internal/wire"
)

// Revision is a build of the program from one revision of the repository.
type Revision struct{ name, path string }

func (r Revision) String() string { return r.name }

// Revisions is a fleet with processes of two revisions: this one and the base revision.
// Followers within the test's process are of this one.
type Revisions struct {
	*Secured
	This, Base Revision

	processes []*Process
}

// OnRevisions runs on a guarded single Redis, and with guarded Sentinels.
func OnRevisions(t *testing.T, run func(r *Revisions)) {
	t.Helper()
	t.Parallel()
	t.Run("single", func(t *testing.T) { onRevisions(t, securedSingle, run) })
	t.Run("Sentinel", func(t *testing.T) { onRevisions(t, securedSentinel, run) })
}

// OnRevisionsWithSentinels runs with guarded Sentinels alone.
func OnRevisionsWithSentinels(t *testing.T, run func(r *Revisions)) {
	t.Helper()
	onRevisions(t, securedSentinel, run)
}

func onRevisions(t *testing.T, start func(t *testing.T, path string) *Secured, run func(r *Revisions)) {
	t.Helper()
	Real(t)
	t.Parallel()
	base := Revision{"the base revision", program.Base.Path(t)} // first, since it may be missing
	this := Revision{"this revision", program.Path(t)}
	InLanes(t, func(t *testing.T) *Revisions { return &Revisions{Secured: start(t, this.path), This: this, Base: base} }, run)
}

// LaunchOf starts a leader of a revision and waits until it logs its ID.
func (r *Revisions) LaunchOf(revision Revision) *Process {
	r.Helper()
	r.path = revision.path
	p := r.Launch(r.As(AsLeader)...)
	r.processes = append(r.processes, p)
	return p
}

// WatchOf starts a follower process of a revision.
func (r *Revisions) WatchOf(revision Revision) {
	r.Helper()
	r.path = revision.path
	w := r.Watch(r.As(AsFollower)...)
	w.name += " of " + revision.name
	r.processes = append(r.processes, w.Process)
}

// Logged returns the lines of these levels in the logs of all processes so far.
func (r *Revisions) Logged(levels ...string) (lines []string) {
	r.Helper()
	for _, p := range r.processes {
		text, err := os.ReadFile(p.log)
		if err != nil {
			r.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			var event struct{ Level string }
			if err := json.Unmarshal([]byte(line), &event); err != nil {
				r.Errorf("%s: %q: %v", p.Cmd.Args[1], line, err)
			}
			if slices.Contains(levels, event.Level) {
				lines = append(lines, p.Cmd.Args[1]+" "+p.ID+": "+strings.TrimSpace(line))
			}
		}
	}
	return lines
}

// Patches returns the patches in Redis, and the hash of the content that meta names.
func (r *Revisions) Patches() (patches wire.Patches, current string) {
	r.Helper()
	pipe := r.Admin.TxPipeline()
	stored, hash := pipe.GetRange(r.Context(), r.Keys.Patches, 0, -1), pipe.HGet(r.Context(), r.Keys.Meta, "hash")
	if _, err := pipe.Exec(r.Context()); err != nil {
		r.Fatal(err)
	}
	patches, err := wire.ParsePatches([]byte(stored.Val()))
	if err != nil {
		r.Fatal(err)
	}
	return patches, hash.Val()
}
