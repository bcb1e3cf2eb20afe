-- KEYS: meta, and the key of a webhook's ID if one asks  ARGV: channel, or nothing if it is the leader that asks, message head, ms to remember the ID for
-- Asks the leader to poll now. It learns of it from the message, or from the count at its next renewal.
-- Returns {OK, how often it was asked}, or {REPLAYED} to an ID that is known.

if KEYS[2] and read('GET', KEYS[2]) then return {'REPLAYED'} end
local count = redis.call('HINCRBY', KEYS[1], 'refresh', 1)
if ARGV[1] ~= '' then redis.call('PUBLISH', ARGV[1], ARGV[2] .. ' seq=' .. digits(count)) end
-- Last, so that an ID counts as known only if its request went out.
if KEYS[2] then redis.call('SET', KEYS[2], '', 'PX', ARGV[3]) end
return {'OK', digits(count)}
