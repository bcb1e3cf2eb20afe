-- Renews the lock, checks that entry, blob and meta are as this process wrote them, and publishes the heartbeat.
-- With an answer of the CDN it also raises rev.
-- KEYS:
--   1 entry    string  the official SDKs' cache entry
--   2 lock     string
--   3 meta     hash
--   4 blob     string
--   5 control  string  what operators have put in force
--   6 pinned   string  the content of the pin
--   7 source   string  what the CDN serves, while a control is in force
-- ARGV:
--    1 lock    string  the lock's value as this process wrote it
--    2 lease   int, ms the lock's time to live
--    3 base    int     the rev that this process considers current; 0: no content yet
--    4 hash    string  of the current content
--    5 etag    string  as stored
--    6 above   int     a raised rev must be above this one
--    7 age     int, ms the age of the CDN's answer; -1: there is none
--    8 channel string
--    9 head    string  of the message
--   10 tail    string  of the message
--   11 poll    int, ms the poll interval
--   12 length  int     bytes of the config JSON
--   13 latest  int, ms an upper bound for the time of the CDN's answer
--   14 waits   string  the highest rev seen, if the leader waits for the CDN; empty: it does not
--   15 control string  what meta must have as the seq of the control; empty: nothing is in force
--   16 pin     string  hash of the pinned content; empty: there is no pin
--   17 srchead string  the head of source after its rev and its time; empty: there is no source
-- Times are in ms since the Unix epoch by Redis's clock.
-- Returns {OK, rev, cdn, now, receivers, refresh, the stored seq, which is 0 if the pinned content is damaged}, {FENCED}, or {STALE, REGRESSED or OVERWRITTEN, the entry's fetch time, now, the fields of meta}.

local entry_key, lock_key, meta_key, blob_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local control_key, pinned_key, source_key = KEYS[5], KEYS[6], KEYS[7]
local own_lock, lease, base, hash, etag = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local above, age, channel, head, tail = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8], ARGV[9], ARGV[10]
local poll, length, latest, waits = ARGV[11], ARGV[12], tonumber(ARGV[13]), ARGV[14]
local control, pin, source = ARGV[15], ARGV[16], ARGV[17]

-- sound reports whether the fields that are not compared below are valid: readers reject a meta with one bad field.
local function sound(meta)
  for _, field in ipairs({meta[CDN], meta[POLL], meta[REFRESH]}) do
    if field and field ~= '' and not string.find(field, '^%d+$') or field and #field > 13 then return false end
  end
  local lines, etags = 0, meta[ETAGS] or ''
  for line in string.gmatch(etags .. '\n', '(.-)\n') do
    lines = lines + 1
    if lines > 8 or #line > 270 or not string.find(line, '^%d+ .') and etags ~= '' then return false end
  end
  return number(meta[CDN]) == 0 or number(meta[CDN]) >= 1e12
end

local now = clock()
if not now then return bad_clock() end
if read('GET', lock_key) ~= own_lock then return {'FENCED'} end
local meta = read_meta(meta_key)
local rev = number(meta[REV])
local entry = read('GETRANGE', entry_key, 0, 14 + #etag) or ''
local fetched = string.match(entry, '^(%d+)\n')

local state = 'OK'
if rev ~= base or (meta[HASH] or '') ~= hash then
  -- If a reply was lost, meta is ahead and names this process's content.
  state = (rev > base and meta[HASH] == hash) and 'STALE' or 'REGRESSED'
elseif base > 0 then
  local blob = read('GETRANGE', blob_key, 0, 14 + #hash) or ''
  local head = source_head(meta[REV], number(meta[CDN])) .. source
  if source ~= '' and read('GETRANGE', source_key, 0, #head - 1) ~= head or meta[CONTROL] ~= control
    or entry ~= meta[REV] .. '\n' .. etag .. '\n' or blob ~= meta[REV] .. '\n' .. hash .. '\n'
    or meta[EPOCH] ~= string.match(own_lock, '%d+$') or meta[LEN] ~= length or meta[ETAG] ~= etag or not sound(meta) then
    state = 'OVERWRITTEN'
  end
end
redis.call('PEXPIRE', lock_key, lease)
if state ~= 'OK' then return {state, digits(number(fetched)), digits(now), unpack(meta)} end

local seq = stored_seq(control_key)
if pin ~= '' and read('GETRANGE', pinned_key, 14, 13 + #pin) ~= pin then seq = 0 end
local cdn = number(meta[CDN])
if age >= 0 and base > 0 then
  cdn = math.min(now - age, latest)
  rev = math.max(cdn, base + 1, above + 1)
  if rev > MAX then return exhausted() end
  local text = digits(rev)
  redis.call('SETRANGE', entry_key, 0, text)
  redis.call('SETRANGE', blob_key, 0, text)
  if source ~= '' then redis.call('SETRANGE', source_key, 0, source_head(text, cdn)) end
  redis.call('HSET', meta_key, 'rev', text, 'cdn', digits(cdn), 'poll', poll)
end
if base > 0 and (meta[WAITS] or '') ~= waits then redis.call('HSET', meta_key, 'waits', waits) end
local receivers = redis.call('PUBLISH', channel, message(head, rev, cdn, tail, now))
return {'OK', digits(rev), digits(cdn), digits(now), receivers, digits(number(meta[REFRESH])), digits(seq)}
