-- Reads what the leader's scripts read, with the same commands. Writes nothing.
-- KEYS:
--   1 entry string
--   2 lock  string
--   3 meta  hash
--   4 blob  string
--   5 history stream
-- ARGV: none
-- Returns OK, or the error text if Redis refuses only what the history needs.

local entry_key, lock_key, meta_key, blob_key, history_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]

local time = redis.call('TIME')
if #time[1] ~= 10 then
  return redis.error_reply('CLOCK the clock of Redis is not between 2001-09-09 and 2286-11-20')
end
for _, command in ipairs({
  {'GET', lock_key},
  {'PTTL', lock_key},
  {'HMGET', meta_key, 'rev'},
  {'GETRANGE', entry_key, 0, 12},
  {'GETRANGE', blob_key, 0, 12},
}) do
  local reply = redis.pcall(unpack(command))
  -- The leader overwrites a key of the wrong type.
  if type(reply) == 'table' and reply.err and string.sub(reply.err, 1, 9) ~= 'WRONGTYPE' then return reply end
end
local reply = redis.pcall('XREVRANGE', history_key, '-', '-')
if reply.err and string.sub(reply.err, 1, 9) ~= 'WRONGTYPE' then return reply.err end
return redis.status_reply('OK')
