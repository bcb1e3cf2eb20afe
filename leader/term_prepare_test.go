package leader

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// preparing starts the preparation of next, and waits for its goroutines.
func preparing(ctx context.Context, base, next *script.Content) *preparation {
	var running sync.WaitGroup
	p := (&elector{leader: &Leader{}}).prepare(ctx, &content{Content: base}, next.JSON, &running)
	running.Wait()
	return p
}

func TestAPreparationIsOfTheContent(t *testing.T) {
	base, next := script.NewContent(large(1), ""), script.NewContent(large(2), "")
	p := preparing(t.Context(), base, next)
	defer p.stop()
	c, made := p.wait()
	if c == nil || c.Hash != next.Hash || c.Codec != next.Codec || !bytes.Equal(c.Payload, next.Payload) || made == nil || made.from != base.Hash || made.patch == nil {
		t.Errorf("%+v, %+v", c, made)
	}
}

// A patch never delays a commit for longer than its budget.
func TestAPatchThatTakesTooLongIsNotUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := preparing(t.Context(), script.NewContent(large(1), ""), script.NewContent(large(2), ""))
		defer p.stop()
		p.change.patch = make(chan []byte) // it is still being made
		began := time.Now()
		if c, made := p.wait(); c == nil || made.patch != nil || time.Since(began) != patchBudget {
			t.Errorf("%v, %v after %v", c, made, time.Since(began))
		}
	})
}

// Checks of a large config may take longer than the patch.
func TestAPatchThatWasMadeInTimeIsUsedLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := preparing(t.Context(), script.NewContent(large(1), ""), script.NewContent(large(2), ""))
		defer p.stop()
		time.Sleep(2 * patchBudget)
		for range 20 { // both channels are ready
			made := <-p.change.patch
			p.change.patch <- made
			c, from := p.wait()
			if c == nil || from.patch == nil {
				t.Fatalf("%v, %v", c, from)
			}
			p.content <- c
			p.change.patch <- made
		}
	})
}

func TestAPreparationEndsWithTheFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		p := preparing(ctx, script.NewContent(large(1), ""), script.NewContent(large(2), ""))
		<-p.content // its goroutine has crashed
		cancel()
		if c, made := p.wait(); c != nil || made != nil {
			t.Errorf("%v, %v", c, made)
		}
	})
}

// Half of the blob's size is the limit, and content that a message carries needs no patch.
func TestAPatchThatSavesLittleIsNotUsed(t *testing.T) {
	more := make([]byte, 8<<10) // compressed to about half
	for i := range more {
		more[i] = wire.ContentHash(more[:i/64])[i%64]
	}
	base := script.NewContent(large(1), "")
	next := script.NewContent(bytes.Replace(large(1), []byte(`"f":{`), []byte(`"f":{"new":{"t":1,"v":{"s":"`+string(more)+`"}},`), 1), "")
	p := preparing(t.Context(), base, next)
	defer p.stop()
	_, made := p.wait()
	if 2*len(made.patch) <= wire.MaxInlineBytes {
		t.Fatalf("%+v", made)
	}
	for payload, want := range map[int]bool{2*len(made.patch) + 2: true, 2 * len(made.patch): false, wire.MaxInlineBytes: false} {
		c := *next
		c.Payload = c.Payload[:payload]
		p.content <- &c
		p.change.patch <- made.patch
		if _, from := p.wait(); (from.patch != nil) != want {
			t.Errorf("blob of %d bytes: a patch %v", payload, from.patch != nil)
		}
	}
}

// The content is prepared while it is checked. It counts only if it passes.
func TestLargeContentThatFailsACheckIsNotCommitted(t *testing.T) {
	whole := string(large(9))
	open := whole[:len(whole)-1] // the last member of a name counts
	for name, body := range map[string]string{
		"not JSON":      open,
		"not an object": "[" + whole + "]",
		"without flags": strings.Replace(whole, `"f":{`, `"x":{`, 1),
		"of other kind": open + `,"s":{}}`,
		"a redirect":    open + `,"p":{"u":"https://elsewhere.example","r":2}}`,
	} {
		t.Run(name, func(t *testing.T) {
			runEnv(t, func(s *testEnv) {
				l, _ := s.startLarge(nil)
				version, commits := s.change(l), s.stats(l).Commits
				s.cdn.Break(fakecdn.Body("application/json", body))
				_ = l.RequestRefresh(s.Context(), "main")
				s.wait(3 * time.Second)
				if st := s.stats(l); st.Commits != commits || st.PollErrors == 0 {
					t.Errorf("%d commits after %d, %d failed polls", st.Commits, commits, st.PollErrors)
				}
				s.hasVersion(version)
				s.cdn.Repair()
				s.wait(2 * time.Minute) // its ETag is no longer suspect
				version = s.change(l)
				s.wantChain(version-1, version, 1)
			})
		})
	}
}

// A redirect may come with a whole config.
func TestTheContentOfTheLastRedirectIsCommitted(t *testing.T) {
	runEnv(t, func(s *testEnv) {
		l, _ := s.startLarge(nil)
		whole := string(large(9))
		redirect := whole[:len(whole)-1] + `,"p":{"u":"http://cdn.test/other","r":2}}`
		s.cdn.Break(fakecdn.Times(1, fakecdn.Body("application/json", redirect)))
		version := s.change(l)
		s.hasVersion(version)
		s.wantChain(version-1, version, 1)
	})
}
