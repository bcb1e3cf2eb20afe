package main

// scripts are mutants of the Lua scripts.
var scripts = []mutant{
	{
		"a commit that is not fenced", "I2", []edit{{"leader/commit.lua",
			`if read('GET', KEYS[2]) ~= ARGV[1] then return {'FENCED'} end`, ``}},
		test{"test", "^TestF01_LateWriteIsRefusedThoughNothingElseChanged$/^virtual$"},
	},
	{
		"no write is fenced", "F1", []edit{
			{"leader/commit.lua", `if read('GET', KEYS[2]) ~= ARGV[1] then return {'FENCED'} end`, ``},
			{"leader/commit.lua", `if number(meta[2]) ~= tonumber(ARGV[3]) then return {'STALE', '0', digits(now), unpack(meta)} end`, ``},
			{"leader/touch.lua", `if read('GET', KEYS[2]) ~= ARGV[1] then return {'FENCED'} end`, ``},
		},
		test{"test", "^TestF01_LateWriteOfAStoppedLeaderIsRefused$/^virtual$"},
	},
	{
		"a touch that is not fenced", "I2", []edit{{"leader/touch.lua",
			`if read('GET', KEYS[2]) ~= ARGV[1] then return {'FENCED'} end`, ``}},
		test{"leader", "^TestAWriteWithoutTheLockChangesNothing$"},
	},
	{
		"a release that is not fenced", "I2", []edit{{"leader/release.lua",
			`if read('GET', KEYS[1]) ~= ARGV[1] then return {'FENCED'} end`, ``}},
		test{"leader", "^TestAWriteWithoutTheLockChangesNothing$"},
	},
	{
		"a lock that two get", "I10", []edit{{"leader/acquire.lua",
			`if lock and string.sub(lock, 1, #mine) ~= mine then`, `if false then`}},
		test{"leader", "^TestOnlyOneAcquiresAndLearnsWhoHolds$"},
	},
	{
		"an epoch that is used again", "I10", []edit{{"leader/acquire.lua",
			`if epoch > MAX then return exhausted() end`, `if held > 0 then epoch = held end`}},
		test{"leader", "^TestAcquiringAgainFencesTheEarlierEpoch$"},
	},
	{
		"a lock that outlasts its clock", "I6", []edit{{"leader/acquire.lua",
			`if left > 4 * expiry then`, `if false then`}},
		test{"leader", "^TestALockThatOutlastsItsClockIsCut$"},
	},
	{
		"a commit that is not idempotent", "F32", []edit{{"leader/commit.lua",
			`if number(meta[2]) ~= tonumber(ARGV[3]) then return {'STALE', '0', digits(now), unpack(meta)} end`, ``}},
		test{"leader", "^TestARepeatedCommitHasOneEffectAndALateOneNone$"},
	},
	{
		"a late commit that undoes a newer one", "F32", []edit{{"leader/commit.lua",
			`if number(meta[2]) ~= tonumber(ARGV[3]) then return {'STALE', '0', digits(now), unpack(meta)} end`, ``}},
		test{"test", "^TestF32_LateCommitUndoesNothing$/^virtual$"},
	},
	{
		"a rev that is the time", "I1", []edit{{"leader/commit.lua",
			`local rev = math.max(answered, number(meta[2]) + 1, number(found) + 1, tonumber(ARGV[4]) + 1)`, `local rev = now`}},
		test{"leader", "^TestRevOnlyRises$"},
	},
	{
		"a rev that looks at meta alone", "I1", []edit{{"leader/commit.lua",
			`number(found) + 1, tonumber(ARGV[4]) + 1)`, `number(found) + 1)`}},
		test{"leader", "^TestRevOnlyRises$"},
	},
	{
		"a fetch time that may fall", "I9", []edit{{"leader/commit.lua",
			`number(meta[2]) + 1, number(found) + 1,`, `number(meta[2]) + 1,`}},
		test{"leader", "^TestRevOnlyRises$"},
	},
	{
		"a later entry that is written over", "I1", []edit{{"leader/commit.lua",
			`if number(found) > tonumber(ARGV[18]) and other`, `if false and other`}},
		test{"leader", "^TestACommitSparesALaterEntryOfOtherContent$"},
	},
	{
		"healing that moves rev to the present", "I14", []edit{{"leader/commit.lua",
			`local answered = age >= 0 and math.min(now - age, tonumber(ARGV[19])) or 0`, `local answered = age >= 0 and now - age or now`}},
		test{"leader", "^TestHealingDoesNotMoveTowardsThePresent$"},
	},
	{
		"a late commit that makes an answer younger", "I14", []edit{{"leader/commit.lua",
			`math.min(now - age, tonumber(ARGV[19]))`, `now - age`}},
		test{"leader", "^TestALateWriteMakesNoAnswerYounger$/^commit$"},
	},
	{
		"a late touch that makes an answer younger", "I14", []edit{{"leader/touch.lua",
			`math.min(now - age, tonumber(ARGV[13]))`, `now - age`}},
		test{"leader", "^TestALateWriteMakesNoAnswerYounger$/^touch$"},
	},
	{
		"an entry that is not written with the rest", "I3", []edit{{"leader/commit.lua",
			`redis.call('SET', KEYS[1], text .. '\n' .. ARGV[11] .. '\n' .. ARGV[15])`, ``}},
		test{"leader", "^TestRevOnlyRises$"},
	},
	{
		"a blob that is not written with the rest", "I3", []edit{{"leader/commit.lua",
			`redis.call('SET', KEYS[4], text .. '\n' .. ARGV[16] .. ARGV[17])`, ``}},
		test{"leader", "^TestRevOnlyRises$"},
	},
	{
		"a message that is not published by the script that writes", "I3", []edit{
			{"leader/commit.lua", `local receivers = redis.call('PUBLISH', ARGV[7], message(ARGV[8], rev, cdn, ARGV[9], now) .. ARGV[10])`, `local receivers = 0`},
			{"leader", `	w, err := parseWritten(reply)
	if err != nil {
		return written{}, fmt.Errorf("commit: %w", err)
	}
`, `	w, err := parseWritten(reply)
	if err != nil {
		return written{}, fmt.Errorf("commit: %w", err)
	}
	if w.outcome == outcomeOK {
		c.message.Rev, c.message.CDN = w.rev, w.cdn
		s.client.Publish(ctx, s.keys.Events, append(c.message.Append(nil), inline...))
	}
`},
		},
		test{"leader", "^TestAChangeIsAnnouncedByTheScriptThatWritesIt$"},
	},
	{
		"no heartbeat", "I7", []edit{{"leader/touch.lua",
			`local receivers = redis.call('PUBLISH', ARGV[8], message(ARGV[9], rev, cdn, ARGV[10], now))`, `local receivers = 0`}},
		test{"test", "^TestF16_LostMessageIsMadeUpForByAHeartbeat$/.*/^virtual$"},
	},
	{
		"a touch that does not look at meta", "I6", []edit{{"leader/touch.lua",
			`if rev ~= base or (meta[3] or '') ~= ARGV[4] then`, `if false then`}},
		test{"test", "^TestF09_EachDeletedKeyComesBack$/^meta$/^virtual$"},
	},
	{
		"a touch that does not look at entry and blob", "I6", []edit{{"leader/touch.lua",
			`state = 'FOREIGN'`, `state = 'OK'`}},
		test{"test", "^TestF09_EachDeletedKeyComesBack$/^blob$/^virtual$"},
	},
	{
		"a touch that takes a lost reply for a loss", "F32", []edit{{"leader/touch.lua",
			`state = (rev > base and meta[3] == ARGV[4]) and 'STALE' or 'REGRESSED'`, `state = 'REGRESSED'`}},
		test{"leader", "^TestTouchTellsWhatIsWrong$"},
	},
	{
		"a renewal that raises rev", "I14", []edit{{"leader/touch.lua",
			`if age >= 0 and base > 0 then`, `if base > 0 then`}},
		test{"leader", "^TestTouchRaisesRevInPlaceOnlyForAnAnswer$"},
	},
	{
		"a renewal that does not renew", "I10", []edit{{"leader/touch.lua",
			`redis.call('PEXPIRE', KEYS[2], ARGV[2])`, ``}},
		test{"test", "^TestCDNSeesOnePollPerInterval$/^1_follower$/^virtual$"},
	},
	{
		"a clock of any year", "I9", []edit{{"leader/prelude.lua",
			`if now >= 1e12 and now <= MAX then return now end`, `return now`}},
		test{"leader", "^TestAClockBefore2001IsRefused$"},
	},
	{
		"messages without Redis's clock", "I1", []edit{{"leader/prelude.lua",
			`return head .. tail .. ' now=' .. digits(now)`, `return head .. tail`}},
		test{"leader", "^TestMessagesEndWithTheClockOfRedis$"},
	},
	{
		"a resign without Redis's clock", "I1", []edit{{"leader/release.lua",
			`now and ARGV[3] .. ' now=' .. digits(now) or ARGV[3]`, `ARGV[3]`}},
		test{"leader", "^TestMessagesEndWithTheClockOfRedis$"},
	},
	{
		"a release that nobody hears of", "F3", []edit{{"leader/release.lua",
			`redis.call('PUBLISH', ARGV[2], now and ARGV[3] .. ' now=' .. digits(now) or ARGV[3])`, ``}},
		test{"test", "^TestF03_LeaderThatShutsDownIsReplacedAtOnce$/^virtual$"},
	},
	{
		"a webhook that may be replayed", "F33", []edit{{"leader/refresh.lua",
			`if KEYS[2] and read('GET', KEYS[2]) then return {'REPLAYED'} end`, ``}},
		test{"leader", "^TestAReplayIsAnsweredWithoutAPollByEveryProcess$"},
	},
	{
		"a script that returns texts of any size", "I5", []edit{{"leader/prelude.lua",
			`return text and string.sub(text, 1, limit + 1)`, `return text`}},
		test{"leader", "^TestScriptsReturnNoMoreThanTheLimits$"},
	},
}
