-- Functions that all scripts share: each script is appended to this file.

local META = {'epoch', 'rev', 'hash', 'len', 'etag', 'cdn', 'poll', 'refresh', 'etags', 'waits', 'control', 'proto'}
local EPOCH, REV, HASH, LEN, ETAG, CDN, POLL, REFRESH, ETAGS, WAITS, CONTROL, STAMP = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
local PROTO = '1 ' -- the version of the protocol, see Proto in package wire
local MAX = 9999999999999
local MAX_SEQ = MAX - 1e6 -- of a control: a higher one must stay possible
local FIELD, LOCK = 2168, 78 -- the greatest sizes of a field of meta and of a lock, in bytes

-- number returns s as a whole number of at most 13 digits, or 0: values written by others are not trusted.
local function number(s)
  if s and #s <= 13 and string.find(s, '^%d+$') then return tonumber(s) end
  return 0
end

-- digits returns n in decimal: tostring writes large numbers with an exponent.
local function digits(n) return string.format('%.0f', n) end

-- clock returns Redis's time in ms since the Unix epoch, or nil if it does not have 13 digits.
local function clock()
  local t = redis.call('TIME')
  local now = t[1] * 1000 + math.floor(t[2] / 1000)
  if now >= 1e12 and now <= MAX then return now end
end

local function bad_clock()
  return redis.error_reply('CLOCK the clock of Redis is not between 2001-09-09 and 2286-11-20')
end

local function exhausted()
  return redis.error_reply('REV no higher rev or epoch is possible: delete the entry and the keys of catbridge, and restart the leaders')
end

-- message returns a message with the fields that are known only here: rev, cdn and now.
local function message(head, rev, cdn, tail, now)
  if rev > 0 then head = head .. ' rev=' .. digits(rev) end
  if cdn > 0 then head = head .. ' cdn=' .. digits(cdn) end
  return head .. tail .. ' now=' .. digits(now)
end

local function wrong_type(reply)
  return type(reply) == 'table' and reply.err and string.sub(reply.err, 1, 9) == 'WRONGTYPE'
end

-- read runs a command that reads a key. It treats a key of the wrong type as missing: the key will be overwritten.
local function read(command, key, ...)
  local reply = redis.pcall(command, key, ...)
  if wrong_type(reply) then return false end
  if type(reply) == 'table' and reply.err then return redis.call(command, key, ...) end -- raises the error
  return reply
end

-- bounded cuts text, which any client may have written, to limit + 1 bytes: the extra byte shows that it is too long.
local function bounded(text, limit) return text and string.sub(text, 1, limit + 1) end

-- source_head returns the two lines with which a source begins.
local function source_head(rev, cdn) return string.format('%s\n%013.0f\n', rev, cdn) end

-- is_hash reports whether s has the form of a content's hash.
local function is_hash(s) return s and #s == 64 and not string.find(s, '[^0-9a-f]') end

-- newest returns the hash of the newest entry of a history, or nil. It reads no other entry.
local function newest(key)
  local entries = read('XREVRANGE', key, '+', '-', 'COUNT', 1) or {}
  local fields = #entries > 0 and entries[1][2] or {}
  for i = 1, #fields, 2 do
    if fields[i] == 'hash' then return fields[i + 1] end
  end
end

-- has_proto reports whether the latest leader knows of controls, see HasProto in package wire.
local function has_proto(meta)
  local stamp = meta[STAMP] or ''
  return meta[EPOCH] and #stamp <= 27 and string.match(stamp, '^%d+ (%d+)$') == meta[EPOCH]
end

-- read_meta returns the fields of META. The control is false if the latest leader does not know of controls: it left
-- the field as it was, see HasProto in package wire.
local function read_meta(key)
  local meta = read('HMGET', key, unpack(META)) or {}
  for i = 1, #META do meta[i] = bounded(meta[i] or false, FIELD) end
  if not has_proto(meta) then meta[CONTROL] = false end
  return meta
end

local function write_meta(key, ...)
  if wrong_type(redis.pcall('HMGET', key, 'rev')) then redis.call('DEL', key) end
  redis.call('HSET', key, ...)
end

-- stored_seq returns the seq of the stored control, or 0 if there is none or its first line is not a seq.
local function stored_seq(key)
  local line = read('GETRANGE', key, 0, 13) or ''
  local seq = number(string.match(line, '^(%d+)\n'))
  return seq >= 1e12 and seq <= MAX_SEQ and seq or 0
end
