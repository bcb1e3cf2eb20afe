-- KEYS: entry, lock, meta, blob  ARGV: lock value, expiry in ms, base rev, hash, etag, highest rev seen, age of the CDN's answer in ms or -1, channel, message head, message tail, poll in ms, json length, the latest that the answer can be of, waits or nothing
-- Renews the lock, checks that all is as I wrote it, publishes the heartbeat; with an answer from the CDN it also raises rev.
-- Returns {OK, rev, cdn, now, receivers, refresh}, {FENCED}, or {STALE, REGRESSED or FOREIGN, the fetch time in the entry, now, the fields of meta}.

-- Whether what I never compare can be read: others read meta whole or not at all.
local function sound(meta)
  for _, field in ipairs({meta[6], meta[7], meta[8]}) do
    if field and field ~= '' and not string.find(field, '^%d+$') or field and #field > 13 then return false end
  end
  local lines, etags = 0, meta[9] or ''
  for line in string.gmatch(etags .. '\n', '(.-)\n') do
    lines = lines + 1
    if lines > 8 or #line > 270 or not string.find(line, '^%d+ .') and etags ~= '' then return false end
  end
  return number(meta[6]) == 0 or number(meta[6]) >= 1e12
end

local now = clock()
if not now then return bad_clock() end
if read('GET', KEYS[2]) ~= ARGV[1] then return {'FENCED'} end
local meta = read_meta(KEYS[3])
local base, rev = tonumber(ARGV[3]), number(meta[2])
local entry = read('GETRANGE', KEYS[1], 0, 14 + #ARGV[5]) or ''
local found = string.match(entry, '^(%d+)\n')

local state = 'OK'
if rev ~= base or (meta[3] or '') ~= ARGV[4] then
  -- A reply that was lost leaves meta ahead of me, with my content.
  state = (rev > base and meta[3] == ARGV[4]) and 'STALE' or 'REGRESSED'
elseif base > 0 then
  local blob = read('GETRANGE', KEYS[4], 0, 14 + #ARGV[4]) or ''
  if entry ~= meta[2] .. '\n' .. ARGV[5] .. '\n' or blob ~= meta[2] .. '\n' .. ARGV[4] .. '\n'
    or meta[1] ~= string.match(ARGV[1], '%d+$') or meta[4] ~= ARGV[12] or meta[5] ~= ARGV[5] or not sound(meta) then
    state = 'FOREIGN'
  end
end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
if state ~= 'OK' then return {state, digits(number(found)), digits(now), unpack(meta)} end

local age, cdn = tonumber(ARGV[7]), number(meta[6])
if age >= 0 and base > 0 then
  cdn = math.min(now - age, tonumber(ARGV[13]))
  rev = math.max(cdn, base + 1, tonumber(ARGV[6]) + 1)
  if rev > MAX then return exhausted() end
  local text = digits(rev)
  redis.call('SETRANGE', KEYS[1], 0, text)
  redis.call('SETRANGE', KEYS[4], 0, text)
  redis.call('HSET', KEYS[3], 'rev', text, 'cdn', digits(cdn), 'poll', ARGV[11])
end
if base > 0 and (meta[10] or '') ~= ARGV[14] then redis.call('HSET', KEYS[3], 'waits', ARGV[14]) end
local receivers = redis.call('PUBLISH', ARGV[8], message(ARGV[9], rev, cdn, ARGV[10], now))
return {'OK', digits(rev), digits(cdn), digits(now), receivers, digits(number(meta[8]))}
