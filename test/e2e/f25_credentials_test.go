package e2e

import (
	"strconv"
	"testing"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/program"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/test/harness"
)

// F25: clients that read passwords and certificates again reconnect with the new ones.
func TestF25_ChangedSecretsAreUsed(t *testing.T) {
	harness.OnGuard(t, func(env *harness.Environment, guard *redistest.Guard) {
		env.PasswordsChange = true
		s := env.RereadSecrets(guard)
		first, second := env.StartAll(3)
		for round := range env.Rounds(2) {
			suffix, authority := "-"+strconv.Itoa(round), redistest.NewAuthority(env.T)
			s.Suffix.Store(&suffix)
			env.SetPasswords(suffix, harness.AsLeader, harness.AsFollower)
			env.RenewCertificate(authority)
			s.Authority.Store(authority)
			connects := env.Followers[0].Client.Stats().Connects
			env.DisconnectAll()
			env.AwaitVersion(env.CDN.Publish(), env.ReconnectBound()+env.TakeoverBound()+env.PollBound())
			env.AwaitState(env.ReconnectBound(), follower.StateLive)
			if n := env.Followers[0].Client.Stats().Connects; n == connects {
				env.Error("the client did not reconnect")
			}
		}
		env.Eventually(env.TakeoverBound(), "one leads", func() bool { return first.Leads() || second.Leads() })
		env.RenewCertificate(guard.Authority)
		s.Authority.Store(guard.Authority)
		env.Settle()
	})
}

// F25: a client with an old password reports it clearly, evaluates the content that it has,
// and recovers once the password is accepted.
func TestF25_WrongPasswordIsReported(t *testing.T) {
	harness.OnGuard(t, func(env *harness.Environment, _ *redistest.Guard) {
		ofLeaders, ofFollowers := env.RecordLeaderErrors(), env.RecordFollowerErrors()
		env.StartAll(2)
		env.SetPasswords("-changed", harness.AsLeader, harness.AsFollower)
		env.DisconnectAll()
		before := env.CDN.Version()
		version := env.CDN.Publish()
		env.Eventually(env.TakeoverBound(), "leaders and followers report the reason", func() bool {
			return ofLeaders.Contains("WRONGPASS") && ofFollowers.Contains("WRONGPASS")
		})
		env.AwaitState(env.ReconnectBound(), follower.StateDisconnected)
		env.RequireVersion(before)
		env.SetPasswords("", harness.AsLeader, harness.AsFollower)
		env.AwaitVersion(version, env.ReconnectBound()+env.TakeoverBound()+env.PollBound())
		env.ClearRefusals()
		env.Settle()
	})
}

// F25: the same with a certificate of an untrusted authority.
func TestF25_UntrustedCertificateIsReported(t *testing.T) {
	harness.OnGuard(t, func(env *harness.Environment, guard *redistest.Guard) {
		ofLeaders, ofFollowers := env.RecordLeaderErrors(), env.RecordFollowerErrors()
		env.RereadSecrets(guard)
		env.StartAll(2)
		env.RenewCertificate(redistest.NewAuthority(env.T))
		env.DisconnectAll()
		before := env.CDN.Version()
		version := env.CDN.Publish()
		env.Eventually(env.TakeoverBound(), "leaders and followers report the reason", func() bool {
			return ofLeaders.Contains("certificate") && ofFollowers.Contains("certificate")
		})
		env.RequireVersion(before)
		env.RenewCertificate(guard.Authority)
		env.AwaitVersion(version, env.ReconnectBound()+env.TakeoverBound()+env.PollBound())
		env.Settle()
	})
}

// F25: the program reconnects with the changed content of its files.
func TestF25_ProgramReadsChangedSecrets(t *testing.T) {
	path := program.Path(t)
	t.Parallel()
	s := harness.NewSecured(t, path)
	s.Launch(s.As(harness.AsLeader)...)
	s.Watch(s.As(harness.AsFollower)...)
	s.AwaitVersion(s.CDN.Publish(), s.TakeoverBound()+s.PollBound())
	authority := redistest.NewAuthority(t)
	s.SetPasswords("-changed", harness.AsLeader, harness.AsFollower)
	s.RenewCertificate(authority)
	s.Certify(authority)
	for _, user := range []harness.Role{harness.AsLeader, harness.AsFollower} {
		s.Write(string(user)+".password", user.User().Password+"-changed")
	}
	s.DisconnectUser(harness.AsLeader)
	s.DisconnectUser(harness.AsFollower)
	s.AwaitVersion(s.CDN.Publish(), s.TakeoverBound()+s.PollBound())
	s.RenewCertificate(s.Server.Guard().Authority)
}
