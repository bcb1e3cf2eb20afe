-- KEYS: meta  ARGV: channel, message head
-- Asks the leader to poll now. It learns of it from the message, or from the count at its next renewal.
-- Returns how often it was asked.

local count = redis.call('HINCRBY', KEYS[1], 'refresh', 1)
redis.call('PUBLISH', ARGV[1], ARGV[2] .. ' seq=' .. digits(count))
return count
