-- KEYS: entry, lock, meta, blob  ARGV: lock value, expiry in ms, base rev, a rev that the new one is to be above, age of the CDN's answer in ms or -1, cdn if -1, channel, message head, message tail, message content, etag, hash, json length, poll in ms, json, blob tail, blob payload, the fetch time up to which a later entry may be written over, the latest that the answer can be of, lines of ETags that were replaced with their age in ms, waits or nothing
-- Writes entry, blob and meta and publishes the change, if the lock is mine and meta still at the base.
-- An entry of other content that somebody fetched after the answer is not written over unseen.
-- Returns {OK, rev, cdn, now, receivers, refresh}, {FENCED}, or {STALE or FOREIGN, the fetch time in the entry, now, the fields of meta}.

local now = clock()
if not now then return bad_clock() end
if read('GET', KEYS[2]) ~= ARGV[1] then return {'FENCED'} end
local meta = read_meta(KEYS[3])
if number(meta[2]) ~= tonumber(ARGV[3]) then return {'STALE', '0', digits(now), unpack(meta)} end

-- Only an answer from the CDN moves rev towards the present, and a late write makes none younger (I14).
local age = tonumber(ARGV[5])
local answered = age >= 0 and math.min(now - age, tonumber(ARGV[19])) or 0
local entry = read('GETRANGE', KEYS[1], 0, 14 + #ARGV[11]) or ''
local found = string.match(entry, '^(%d+)\n')
local other = string.sub(entry, 15) ~= ARGV[11] .. '\n'
if number(found) > tonumber(ARGV[18]) and other and number(found) >= answered and number(found) > number(meta[2]) then
  return {'FOREIGN', digits(number(found)), digits(now), unpack(meta)}
end
local rev = math.max(answered, number(meta[2]) + 1, number(found) + 1, tonumber(ARGV[4]) + 1)
if rev > MAX then return exhausted() end
local cdn = age >= 0 and answered or tonumber(ARGV[6])

-- The ETags that were replaced last, the latest first: the one replaced now, those that the
-- leader knows of, and those in meta. What others spoilt is left out, and what is current now.
local times, places, etags = {}, {}, {}
local function add(time, etag)
  if etag == ARGV[11] or #etag == 0 or #etag > 256 or times[etag] and times[etag] >= time then return end
  if not times[etag] then
    etags[#etags + 1] = etag
    places[etag] = #etags
  end
  times[etag] = time
end
if meta[5] then add(now, meta[5]) end
for age, etag in string.gmatch(ARGV[20], '(%d+) ([^\n]+)') do add(math.max(now - tonumber(age), 1), etag) end
for time, etag in string.gmatch('\n' .. (meta[9] or ''), '\n(%d+) ([^\n]+)') do
  if number(time) > 0 then add(number(time), etag) end
end
table.sort(etags, function(a, b) return times[a] > times[b] or times[a] == times[b] and places[a] < places[b] end)
local lines = {}
for i = 1, math.min(#etags, 8) do lines[i] = digits(times[etags[i]]) .. ' ' .. etags[i] end

local text = digits(rev)
redis.call('SET', KEYS[1], text .. '\n' .. ARGV[11] .. '\n' .. ARGV[15])
redis.call('SET', KEYS[4], text .. '\n' .. ARGV[16] .. ARGV[17])
write_meta(KEYS[3], 'epoch', string.match(ARGV[1], '%d+$'), 'rev', text, 'hash', ARGV[12], 'len', ARGV[13],
  'etag', ARGV[11], 'cdn', cdn > 0 and digits(cdn) or '', 'poll', ARGV[14],
  'refresh', digits(number(meta[8])), 'etags', table.concat(lines, '\n'), 'waits', rev <= number(ARGV[21]) and ARGV[21] or '')
redis.call('PEXPIRE', KEYS[2], ARGV[2])
local receivers = redis.call('PUBLISH', ARGV[7], message(ARGV[8], rev, cdn, ARGV[9], now) .. ARGV[10])
return {'OK', text, digits(cdn), digits(now), receivers, digits(number(meta[8]))}
