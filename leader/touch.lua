-- KEYS: entry, lock, meta, blob  ARGV: lock value, expiry in ms, base rev, hash, etag, highest rev seen, age of the CDN's answer in ms or -1, channel, message head, message tail, poll in ms
-- Renews the lock, checks that all is as I wrote it, publishes the heartbeat; with an answer from the CDN it also raises rev.
-- Returns {OK, rev, cdn, now, receivers, refresh}, {FENCED}, or {STALE, REGRESSED or FOREIGN, the fetch time in the entry, the fields of meta}.

local now = clock()
if not now then return bad_clock() end
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return {'FENCED'} end
local meta = redis.call('HMGET', KEYS[3], unpack(META))
local base, rev = tonumber(ARGV[3]), number(meta[2])
local entry = redis.call('GETRANGE', KEYS[1], 0, 14 + #ARGV[5])
local found = string.match(entry, '^(%d+)\n')

local state = 'OK'
if rev ~= base or (meta[3] or '') ~= ARGV[4] then
  -- A reply that was lost leaves meta ahead of me, with my content.
  state = (rev > base and meta[3] == ARGV[4]) and 'STALE' or 'REGRESSED'
elseif base > 0 then
  local blob = redis.call('GETRANGE', KEYS[4], 0, 14 + #ARGV[4])
  if entry ~= meta[2] .. '\n' .. ARGV[5] .. '\n' or blob ~= meta[2] .. '\n' .. ARGV[4] .. '\n' then state = 'FOREIGN' end
end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
if state ~= 'OK' then return {state, digits(number(found)), unpack(meta)} end

local age, cdn = tonumber(ARGV[7]), number(meta[6])
if age >= 0 and base > 0 then
  cdn = now - age
  rev = math.max(cdn, base + 1, tonumber(ARGV[6]) + 1)
  if rev > MAX then return exhausted() end
  local text = digits(rev)
  redis.call('SETRANGE', KEYS[1], 0, text)
  redis.call('SETRANGE', KEYS[4], 0, text)
  redis.call('HSET', KEYS[3], 'rev', text, 'cdn', digits(cdn), 'poll', ARGV[11])
end
local receivers = redis.call('PUBLISH', ARGV[8], message(ARGV[9], rev, cdn, ARGV[10]))
return {'OK', digits(rev), digits(cdn), digits(now), receivers, digits(number(meta[8]))}
