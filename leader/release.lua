-- KEYS: lock  ARGV: lock value, channel, message without the field now
-- Gives the lock up if it is mine and says so, so that a candidate takes over at once.
-- Returns {RELEASED} or {FENCED}.

if read('GET', KEYS[1]) ~= ARGV[1] then return {'FENCED'} end
redis.call('DEL', KEYS[1])
local now = clock()
redis.call('PUBLISH', ARGV[2], now and ARGV[3] .. ' now=' .. digits(now) or ARGV[3])
return {'RELEASED'}
