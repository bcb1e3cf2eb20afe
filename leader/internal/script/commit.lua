-- Writes entry, blob and meta and publishes the change, if this process holds the lock and meta is still at the base rev.
-- An entry with other content that an SDK fetched after the CDN's answer is not overwritten unless the leader has seen it.
-- KEYS:
--   1 entry     string  the official SDKs' cache entry
--   2 lock      string
--   3 meta      hash
--   4 blob      string
--   5 patches   string  how the content differs from earlier content
--   6 history   stream  the changes of the content
--   7 control   string  what operators have put in force
--   8 source    string  what the CDN serves, while a control is in force
-- ARGV:
--    1 lock     string  the lock's value as this process wrote it
--    2 lease    int, ms the lock's time to live
--    3 base     int     the rev that this commit replaces
--    4 above    int     the new rev must be above this one
--    5 age      int, ms the age of the CDN's answer; -1: this is not an answer of the CDN
--    6 cdn      int, ms time of the CDN's last answer, used if age is -1
--    7 channel  string
--    8 head     string  of the message
--    9 tail     string  of the message
--   10 inline   string  the content in the message; empty: none
--   11 etag     string  as stored
--   12 hash     string  SHA-256 of the config JSON, hexadecimal
--   13 length   int     bytes of the config JSON
--   14 poll     int, ms the poll interval
--   15 json     string  the config JSON
--   16 blobtail string  the blob's head after the rev
--   17 payload  string  the blob's payload
--   18 over     int, ms an entry fetched up to this time may be overwritten
--   19 latest   int, ms an upper bound for the time of the CDN's answer
--   20 replaced string  lines "<age in ms> <etag>": replaced ETags that the leader knows of
--   21 waits    string  the highest rev seen, if the leader waits for the CDN; empty: it does not
--   22 from    string  hash of the content that the patch starts from; empty: there is no patch
--   23 older   string  the steps of patches before this one
--   24 step    string  the rest of this step after its rev
--   25 entries int     the history's greatest number of entries; 0: there is no history
--   26 cause   string  why the content becomes current
--   27 backto  string  hash of the content that back makes; empty: there is none
--   28 backsize int    bytes of that config JSON
--   29 back    string  how to make that content of this one
--   30 seq     int     the seq of the control from which the content was made; 0: there was none
--   31 control string  that seq while anything is in force; empty: nothing is
--   32 srctail string  the head of source after its rev and its time; empty: there is no source
--   33 srcdata string  the payload of source
--   34 srcetag string  of what the CDN serves, as stored; empty: unknown
--   35 former  string  srcetag of the content that this one replaces
-- Times are in ms since the Unix epoch by Redis's clock.
-- Returns {OK, rev, cdn, now, receivers, refresh, seq}, with Redis's error besides if it refused the history's entry,
-- {FENCED}, {STALE or OVERWRITTEN, the entry's fetch time, now, the fields of meta}, or {CONTROL, the stored seq, now,
-- the fields of meta}.

local entry_key, lock_key, meta_key, blob_key, patches_key, history_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local control_key, source_key = KEYS[7], KEYS[8]
local own_lock, lease, base, above = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local age, last_answer = tonumber(ARGV[5]), tonumber(ARGV[6])
local channel, head, tail, inline = ARGV[7], ARGV[8], ARGV[9], ARGV[10]
local etag, hash, length, poll = ARGV[11], ARGV[12], ARGV[13], ARGV[14]
local json, blob_tail, payload = ARGV[15], ARGV[16], ARGV[17]
local over, latest, replaced, waits = tonumber(ARGV[18]), tonumber(ARGV[19]), ARGV[20], ARGV[21]
local from, older, step = ARGV[22], ARGV[23], ARGV[24]
local entries, cause, back_to, back_size, back = tonumber(ARGV[25]), ARGV[26], ARGV[27], ARGV[28], ARGV[29]
local seq, control, source_tail, source = tonumber(ARGV[30]), ARGV[31], ARGV[32], ARGV[33]
local source_etag, former = ARGV[34], ARGV[35]

local now = clock()
if not now then return bad_clock() end
if read('GET', lock_key) ~= own_lock then return {'FENCED'} end
local meta = read_meta(meta_key)
local current = number(meta[REV])
if current ~= base then return {'STALE', '0', digits(now), unpack(meta)} end
local in_redis = stored_seq(control_key)
if in_redis ~= seq then return {'CONTROL', digits(in_redis), digits(now), unpack(meta)} end

-- Only an answer of the CDN raises rev to the present, and a late write must not make the answer look newer (I14).
local answered = age >= 0 and math.min(now - age, latest) or 0
local entry = read('GETRANGE', entry_key, 0, 14 + #etag) or ''
local fetched = number(string.match(entry, '^(%d+)\n'))
local other = string.sub(entry, 15) ~= etag .. '\n'
if fetched > over and other and fetched >= answered and fetched > current then
  return {'OVERWRITTEN', digits(fetched), digits(now), unpack(meta)}
end
-- An official SDK that is not offline has overwritten the entry: the fetch time of this process's entry is meta's rev.
local overwrites = bounded((read('HMGET', meta_key, 'sdk') or {})[1] or '', 27)
if fetched > 0 and current > 0 and fetched ~= current then
  overwrites = digits(math.min(number(string.match(overwrites, '^(%d+) ')) + 1, MAX)) .. ' ' .. digits(now)
end
local rev = math.max(answered, current + 1, fetched + 1, above + 1, 1e12)
if rev > MAX then return exhausted() end
local cdn = age >= 0 and answered or last_answer

-- Collect the ETags that were replaced last, the latest first: the one replaced now, those
-- that the leader knows of, and those in meta. Values written by others are not trusted.
local times, places, etags = {}, {}, {}
local function add(time, old)
  if old == source_etag or #old == 0 or #old > 256 or times[old] and times[old] >= time then return end
  if not times[old] then
    etags[#etags + 1] = old
    places[old] = #etags
  end
  times[old] = time
end
add(now, former)
for ms, old in string.gmatch(replaced, '(%d+) ([^\n]+)') do add(math.max(now - tonumber(ms), 1), old) end
for time, old in string.gmatch('\n' .. (meta[ETAGS] or ''), '\n(%d+) ([^\n]+)') do
  if number(time) > 0 then add(number(time), old) end
end
table.sort(etags, function(a, b) return times[a] > times[b] or times[a] == times[b] and places[a] < places[b] end)
local lines = {}
for i = 1, math.min(#etags, 8) do lines[i] = digits(times[etags[i]]) .. ' ' .. etags[i] end

local text = digits(rev)
redis.call('SET', entry_key, text .. '\n' .. etag .. '\n' .. json)
redis.call('SET', blob_key, text .. '\n' .. blob_tail .. payload)
if source_tail ~= '' then
  redis.call('SET', source_key, source_head(text, cdn) .. source_tail .. source)
else
  redis.call('DEL', source_key)
end
-- The last step of patches leads to the current content, or there are no patches. A commit of the current content keeps them.
if hash ~= meta[HASH] then
  if from ~= '' and from == meta[HASH] then
    redis.call('SET', patches_key, older .. string.sub(from, 1, 16) .. ' ' .. hash .. ' ' .. text .. step)
  else
    redis.call('DEL', patches_key)
  end
end
local epoch = string.match(own_lock, '%d+$')
write_meta(meta_key, 'epoch', epoch, 'proto', PROTO .. epoch, 'rev', text, 'hash', hash, 'len', length,
  'etag', etag, 'cdn', cdn > 0 and digits(cdn) or '', 'poll', poll,
  'refresh', digits(number(meta[REFRESH])), 'etags', table.concat(lines, '\n'), 'waits', rev <= number(waits) and waits or '', 'control', control,
  'sdk', overwrites)
redis.call('PEXPIRE', lock_key, lease)
local receivers = redis.call('PUBLISH', channel, message(head, rev, cdn, tail, now) .. inline)

-- record extends the history if the content is new, and returns Redis's error, if any. It is the last that happens:
-- an error here changes nothing else.
local function record()
  local before = is_hash(meta[HASH]) and meta[HASH]
  if entries == 0 or before == hash then return end
  if not before and newest(history_key) == hash then return end -- meta was lost, and this repairs it
  local known = before and back_to == before -- the leader holds the content before
  local function add()
    return redis.pcall('XADD', history_key, 'MAXLEN', entries, '*', 'rev', text, 'time', digits(now), 'hash', hash, 'etag', etag,
      'cause', cause, 'leader', string.match(own_lock, '^(.*):'), 'size', length,
      'from', before or '', 'fromsize', known and back_size or '', 'back', known and back or '')
  end
  local reply = add()
  if wrong_type(reply) then
    redis.call('DEL', history_key)
    reply = add()
  end
  return type(reply) == 'table' and reply.err
end
local finished, failure = pcall(record)
local reply = {'OK', text, digits(cdn), digits(now), receivers, digits(number(meta[REFRESH])), digits(seq)}
if not finished or failure then reply[#reply + 1] = bounded(type(failure) == 'table' and failure.err or tostring(failure), 200) end
return reply
