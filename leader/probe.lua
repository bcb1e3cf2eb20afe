-- KEYS: entry, lock, meta, blob  ARGV: none
-- Reads what the other scripts read, by the same prelude, and writes nothing.

if not clock() then return bad_clock() end
read('GET', KEYS[2])
redis.call('PTTL', KEYS[2])
read_meta(KEYS[3])
read('GETRANGE', KEYS[1], 0, 12)
read('GETRANGE', KEYS[4], 0, 12)
return redis.status_reply('OK')
