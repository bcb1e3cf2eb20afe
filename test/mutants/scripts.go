package main

// scripts are mutants of the Lua scripts.
var scripts = []mutant{
	{
		"a commit is not fenced", "I2", []edit{{"leader/internal/script/commit.lua",
			`if read('GET', lock_key) ~= own_lock then return {'FENCED'} end`, ``}},
		test{"test/e2e", "^TestF01_LateWriteIsRefusedEvenIfNothingElseChanged$/^virtual$"},
	},
	{
		"no write is fenced", "F1", []edit{
			{"leader/internal/script/commit.lua", `if read('GET', lock_key) ~= own_lock then return {'FENCED'} end`, ``},
			{"leader/internal/script/commit.lua", `if current ~= base then return {'STALE', '0', digits(now), unpack(meta)} end`, ``},
			{"leader/internal/script/renew.lua", `if read('GET', lock_key) ~= own_lock then return {'FENCED'} end`, ``},
		},
		test{"test/e2e", "^TestF01_LateWriteOfAStoppedLeaderIsRefused$/^virtual$"},
	},
	{
		"a renewal is not fenced", "I2", []edit{{"leader/internal/script/renew.lua",
			`if read('GET', lock_key) ~= own_lock then return {'FENCED'} end`, ``}},
		test{"leader/internal/script", "^TestAWriteWithoutTheLockChangesNothing$"},
	},
	{
		"a release is not fenced", "I2", []edit{{"leader/internal/script/release.lua",
			`if read('GET', lock_key) ~= own_lock then return {'FENCED'} end`, ``}},
		test{"leader/internal/script", "^TestAWriteWithoutTheLockChangesNothing$"},
	},
	{
		"two processes acquire the lock", "I10", []edit{{"leader/internal/script/acquire.lua",
			`if lock and string.sub(lock, 1, #mine) ~= mine then`, `if false then`}},
		test{"leader/internal/script", "^TestOnlyOneProcessAcquiresTheLock$"},
	},
	{
		"an epoch is used again", "I10", []edit{{"leader/internal/script/acquire.lua",
			`if epoch > MAX then return exhausted() end`, `if held > 0 then epoch = held end`}},
		test{"leader/internal/script", "^TestAcquiringAgainFencesTheEarlierEpoch$"},
	},
	{
		"a lock that lasts too long is not cut", "I6", []edit{{"leader/internal/script/acquire.lua",
			`if left > 4 * lease then`, `if false then`}},
		test{"leader/internal/script", "^TestALockThatLastsTooLongIsCut$"},
	},
	{
		"a commit is not idempotent", "F32", []edit{{"leader/internal/script/commit.lua",
			`if current ~= base then return {'STALE', '0', digits(now), unpack(meta)} end`, ``}},
		test{"leader/internal/script", "^TestARepeatedCommitHasOneEffectAndALateCommitNone$"},
	},
	{
		"a late commit undoes a newer one", "F32", []edit{{"leader/internal/script/commit.lua",
			`if current ~= base then return {'STALE', '0', digits(now), unpack(meta)} end`, ``}},
		test{"test/e2e", "^TestF32_LateCommitDoesNotReplaceNewerContent$/^virtual$"},
	},
	{
		"rev is the time", "I1", []edit{{"leader/internal/script/commit.lua",
			`local rev = math.max(answered, current + 1, fetched + 1, above + 1, 1e12)`, `local rev = now`}},
		test{"leader/internal/script", "^TestRevOnlyRises$"},
	},
	{
		"rev depends on meta only", "I1", []edit{{"leader/internal/script/commit.lua",
			`fetched + 1, above + 1, 1e12)`, `fetched + 1)`}},
		test{"leader/internal/script", "^TestRevOnlyRises$"},
	},
	{
		"the entry's fetch time may fall", "I9", []edit{{"leader/internal/script/commit.lua",
			`current + 1, fetched + 1,`, `current + 1,`}},
		test{"leader/internal/script", "^TestRevOnlyRises$"},
	},
	{
		"a later entry is overwritten", "I1", []edit{{"leader/internal/script/commit.lua",
			`if fetched > over and other`, `if false and other`}},
		test{"leader/internal/script", "^TestACommitDoesNotOverwriteALaterEntryWithOtherContent$"},
	},
	{
		"a repair moves rev to the present", "I14", []edit{{"leader/internal/script/commit.lua",
			`local answered = age >= 0 and math.min(now - age, latest) or 0`, `local answered = age >= 0 and now - age or now`}},
		test{"leader/internal/script", "^TestARepairDoesNotMoveRevTowardsThePresent$"},
	},
	{
		"a late commit makes an answer more recent", "I14", []edit{{"leader/internal/script/commit.lua",
			`math.min(now - age, latest)`, `now - age`}},
		test{"leader", "^TestALateWriteDoesNotMakeAnAnswerMoreRecent$/^commit$"},
	},
	{
		"a late renewal makes an answer more recent", "I14", []edit{{"leader/internal/script/renew.lua",
			`math.min(now - age, latest)`, `now - age`}},
		test{"leader", "^TestALateWriteDoesNotMakeAnAnswerMoreRecent$/^renew$"},
	},
	{
		"a commit does not write the entry", "I3", []edit{{"leader/internal/script/commit.lua",
			`redis.call('SET', entry_key, text .. '\n' .. etag .. '\n' .. json)`, ``}},
		test{"leader/internal/script", "^TestRevOnlyRises$"},
	},
	{
		"a commit does not write the blob", "I3", []edit{{"leader/internal/script/commit.lua",
			`redis.call('SET', blob_key, text .. '\n' .. blob_tail .. payload)`, ``}},
		test{"leader/internal/script", "^TestRevOnlyRises$"},
	},
	{
		"the script that writes does not publish", "I3", []edit{
			{"leader/internal/script/commit.lua", `local receivers = redis.call('PUBLISH', channel, message(head, rev, cdn, tail, now) .. inline)`, `local receivers = 0`},
			{"leader/internal/script", `	w, err := parseWriteReply(reply)
	if err != nil {
		return WriteReply{}, fmt.Errorf("commit: %w", err)
	}
`, `	w, err := parseWriteReply(reply)
	if err != nil {
		return WriteReply{}, fmt.Errorf("commit: %w", err)
	}
	if w.Outcome == OK {
		a.Message.Rev, a.Message.CDN = w.Rev, w.CDN
		s.client.Publish(ctx, s.keys.Events, append(a.Message.Append(nil), inline...))
	}
`},
		},
		test{"leader", "^TestTheScriptThatWritesAChangePublishesIt$"},
	},
	{
		"no heartbeats", "I7", []edit{{"leader/internal/script/renew.lua",
			`local receivers = redis.call('PUBLISH', channel, message(head, rev, cdn, tail, now))`, `local receivers = 0`}},
		test{"test/e2e", "^TestF16_HeartbeatRevealsALostMessage$/.*/^virtual$"},
	},
	{
		"a renewal does not check meta", "I6", []edit{{"leader/internal/script/renew.lua",
			`if rev ~= base or (meta[HASH] or '') ~= hash then`, `if false then`}},
		test{"test/e2e", "^TestF09_EachDeletedKeyIsRepaired$/^meta$/^virtual$"},
	},
	{
		"a renewal does not check entry and blob", "I6", []edit{{"leader/internal/script/renew.lua",
			`state = 'OVERWRITTEN'`, `state = 'OK'`}},
		test{"test/e2e", "^TestF09_EachDeletedKeyIsRepaired$/^blob$/^virtual$"},
	},
	{
		"a renewal takes a lost reply for lost data", "F32", []edit{{"leader/internal/script/renew.lua",
			`state = (rev > base and meta[HASH] == hash) and 'STALE' or 'REGRESSED'`, `state = 'REGRESSED'`}},
		test{"leader/internal/script", "^TestARenewalReportsWhatRedisLost$"},
	},
	{
		"a renewal without an answer raises rev", "I14", []edit{{"leader/internal/script/renew.lua",
			`if age >= 0 and base > 0 then`, `if base > 0 then`}},
		test{"leader/internal/script", "^TestARenewalRaisesRevOnlyForAnAnswerOfTheCDN$"},
	},
	{
		"a renewal does not extend the lock", "I10", []edit{{"leader/internal/script/renew.lua",
			`redis.call('PEXPIRE', lock_key, lease)`, ``}},
		test{"test/e2e", "^TestCDNSeesOnePollPerInterval$/^1_follower$/^virtual$"},
	},
	{
		"scripts accept a clock of any year", "I9", []edit{{"leader/internal/script/prelude.lua",
			`if now >= 1e12 and now <= MAX then return now end`, `return now`}},
		test{"leader/internal/script", "^TestAClockBefore2001IsRefused$"},
	},
	{
		"messages lack Redis's clock", "I1", []edit{{"leader/internal/script/prelude.lua",
			`return head .. tail .. ' now=' .. digits(now)`, `return head .. tail`}},
		test{"leader", "^TestMessagesEndWithRedisClock$"},
	},
	{
		"resign messages lack Redis's clock", "I1", []edit{{"leader/internal/script/release.lua",
			`now and text .. ' now=' .. digits(now) or text`, `text`}},
		test{"leader", "^TestMessagesEndWithRedisClock$"},
	},
	{
		"a release is not published", "F3", []edit{{"leader/internal/script/release.lua",
			`redis.call('PUBLISH', channel, now and text .. ' now=' .. digits(now) or text)`, ``}},
		test{"test/e2e", "^TestF03_LeaderThatShutsDownIsReplacedAtOnce$/^virtual$"},
	},
	{
		"a webhook can be replayed", "F33", []edit{{"leader/internal/script/refresh.lua",
			`if hook_key and read('GET', hook_key) then return {'REPLAYED'} end`, ``}},
		test{"leader", "^TestAReplayAtAnyProcessCausesNoPoll$"},
	},
	{
		"scripts return strings of any size", "I5", []edit{{"leader/internal/script/prelude.lua",
			`return text and string.sub(text, 1, limit + 1)`, `return text`}},
		test{"leader/internal/script", "^TestScriptsReturnNoMoreThanTheLimits$"},
	},
}
