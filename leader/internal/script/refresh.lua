-- Asks the leader to poll now. The leader learns of the request from the message, or from the count at its next renewal.
-- KEYS:
--   1 meta     hash
--   2 hook     string  the key of a webhook's ID; missing: this is not a webhook
-- ARGV:
--   1 channel  string  empty: the leader itself asks, and no message is published
--   2 head     string  of the message
--   3 remember int, ms how long the ID is remembered
--   4 tail     string  of the message
-- Returns {OK, the number of requests so far}, or {REPLAYED} if the ID is known.

local meta_key, hook_key = KEYS[1], KEYS[2]
local channel, head, remember, tail = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

if hook_key and read('GET', hook_key) then return {'REPLAYED'} end
local count = redis.call('HINCRBY', meta_key, 'refresh', 1)
if channel ~= '' then redis.call('PUBLISH', channel, head .. ' seq=' .. digits(count) .. tail) end
-- The ID is stored last, so that it is known only if the request was published.
if hook_key then redis.call('SET', hook_key, '', 'PX', remember) end
return {'OK', digits(count)}
