-- Reads what the other scripts read, with the same functions, and writes nothing.
-- KEYS:
--   1 entry string
--   2 lock  string
--   3 meta  hash
--   4 blob  string
-- ARGV: none
-- Returns OK.

local entry_key, lock_key, meta_key, blob_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]

if not clock() then return bad_clock() end
read('GET', lock_key)
redis.call('PTTL', lock_key)
read_meta(meta_key)
read('GETRANGE', entry_key, 0, 12)
read('GETRANGE', blob_key, 0, 12)
return redis.status_reply('OK')
