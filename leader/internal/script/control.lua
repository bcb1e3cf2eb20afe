-- Replaces the control, if it has the expected seq, and publishes a message, so that the leader acts on it at once.
-- KEYS:
--   1 control  string  "<seq>\n<body>", see package control
--   2 pinned   string  the content of the pin, as a blob
--   3 meta     hash
--   4 lock     string  missing: an operator writes, and needs no lock
-- ARGV:
--   1 expected int     the seq of the control that this one replaces; 0: there is none, or it is malformed
--   2 above    int     the new seq must be above this one
--   3 body     string  the control without its seq
--   4 pin      string  SET: pinned is replaced; KEEP: it stays; DEL: it is deleted
--   5 blobtail string  SET: the blob's head after the rev
--   6 payload  string  SET: the blob's payload
--   7 channel  string
--   8 head     string  of the message
--   9 tail     string  of the message
--  10 limit    int     the greatest size of a control, in bytes
--  11 lock     string  the lock's value as this process wrote it
--  12 repaired int     the seq under which the control was in force before Redis lost it; 0: it is new
-- Returns {OK, seq, now}, {STALE, the stored seq, now, the stored control}, {PROTO} if the latest leader does not know of
-- controls, or {FENCED}.

local control_key, pinned_key, meta_key, lock_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local expected, above, body, pin = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4]
local blob_tail, payload, channel, head, tail = ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local limit, own_lock, repaired = tonumber(ARGV[10]), ARGV[11], tonumber(ARGV[12])

local now = clock()
if not now then return bad_clock() end
if lock_key and read('GET', lock_key) ~= own_lock then return {'FENCED'} end
local meta = read_meta(meta_key)
if not lock_key and meta[EPOCH] and not has_proto(meta) then return {'PROTO'} end
local stored = stored_seq(control_key)
if stored ~= expected then
  return {'STALE', digits(stored), digits(now), read('GETRANGE', control_key, 0, limit) or ''}
end

-- A repaired control keeps its seq: processes that restore different ones agree on the latest.
local seq = repaired > 0 and repaired >= stored and repaired or math.max(stored + 1, above + 1, now)
if seq > MAX_SEQ then return redis.error_reply('SEQ no higher seq is possible: delete ' .. control_key) end
local text = digits(seq)
-- A control never names a pin whose content is missing, even if Redis refuses one of these writes.
if pin == 'SET' then redis.call('SET', pinned_key, text .. '\n' .. blob_tail .. payload) end
redis.call('SET', control_key, text .. '\n' .. body)
if pin == 'DEL' then redis.call('DEL', pinned_key) end
redis.call('PUBLISH', channel, head .. ' seq=' .. text .. tail .. ' now=' .. digits(now))
return {'OK', text, digits(now)}
