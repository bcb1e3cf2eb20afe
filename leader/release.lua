-- KEYS: lock  ARGV: lock value, channel, message
-- Gives the lock up if it is mine and says so, so that a candidate takes over at once.
-- Returns {RELEASED} or {FENCED}.

if read('GET', KEYS[1]) ~= ARGV[1] then return {'FENCED'} end
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[2], ARGV[3])
return {'RELEASED'}
