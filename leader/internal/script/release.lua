-- Releases the lock if this process holds it, and publishes a message, so that a candidate takes over at once.
-- KEYS:
--   1 lock    string
-- ARGV:
--   1 lock    string  the lock's value as this process wrote it
--   2 channel string
--   3 message string  without its field "now"
-- Returns {RELEASED} or {FENCED}.

local lock_key = KEYS[1]
local own_lock, channel, text = ARGV[1], ARGV[2], ARGV[3]

if read('GET', lock_key) ~= own_lock then return {'FENCED'} end
redis.call('DEL', lock_key)
local now = clock()
redis.call('PUBLISH', channel, now and text .. ' now=' .. digits(now) or text)
return {'RELEASED'}
