-- KEYS: lock, meta  ARGV: leader ID, expiry in ms, highest epoch or rev that this process has seen
-- Takes the lock if it is free, or again if it is mine, each time under a new epoch.
-- Another's that lasts much longer than mine would is cut to that: its holder, if alive, renews it.
-- Returns {ACQUIRED or HELD, the lock's value, its ms left, now, the fields of meta}.

local now = clock()
if not now then return bad_clock() end
local meta = read_meta(KEYS[2])
local lock = read('GET', KEYS[1])
local mine = ARGV[1] .. ':'
if lock and string.sub(lock, 1, #mine) ~= mine then
  local left, expiry = redis.call('PTTL', KEYS[1]), tonumber(ARGV[2])
  if left > 4 * expiry then
    -- The clock of Redis was set back: its holder may be gone for long.
    redis.call('PEXPIRE', KEYS[1], expiry)
    left = expiry
  end
  return {'HELD', bounded(lock, LOCK), left, digits(now), unpack(meta)}
end

local held = lock and number(string.sub(lock, #mine + 1)) or 0
local epoch = math.max(now, number(meta[1]) + 1, held + 1, tonumber(ARGV[3]) + 1)
if epoch > MAX then return exhausted() end
meta[1] = digits(epoch)
lock = mine .. meta[1]
redis.call('SET', KEYS[1], lock, 'PX', ARGV[2])
write_meta(KEYS[2], 'epoch', meta[1])
return {'ACQUIRED', lock, tonumber(ARGV[2]), digits(now), unpack(meta)}
