-- Takes the lock if it is free, or extends it if this process holds it, under a new epoch each time.
-- KEYS:
--   1 lock    string  "<leader ID>:<epoch>"
--   2 meta    hash
--   3 control string  what operators have put in force
-- ARGV:
--   1 leader  string  the ID of this process
--   2 lease   int, ms the lock's time to live
--   3 highest int     the highest epoch or rev that this process has seen
-- Returns {ACQUIRED or HELD, the lock's value, its remaining ms, now, the epoch before if it acquired it, the stored seq of the
-- control, the fields of meta}.

local lock_key, meta_key, control_key = KEYS[1], KEYS[2], KEYS[3]
local leader, lease, highest = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local now = clock()
if not now then return bad_clock() end
local meta = read_meta(meta_key)
local lock = read('GET', lock_key)
local mine = leader .. ':'
if lock and string.sub(lock, 1, #mine) ~= mine then
  local left = redis.call('PTTL', lock_key)
  if left > 4 * lease then
    -- Redis's clock was set back, and the holder may be long gone. A holder that is alive renews in time.
    redis.call('PEXPIRE', lock_key, lease)
    left = lease
  end
  return {'HELD', bounded(lock, LOCK), left, digits(now), '0', digits(stored_seq(control_key)), unpack(meta)}
end

local held = lock and number(string.sub(lock, #mine + 1)) or 0
local former = number(meta[EPOCH])
local epoch = math.max(now, former + 1, held + 1, highest + 1)
if epoch > MAX then return exhausted() end
meta[EPOCH] = digits(epoch)
lock = mine .. meta[EPOCH]
redis.call('SET', lock_key, lock, 'PX', lease)
meta[STAMP] = PROTO .. meta[EPOCH]
-- This stamp would make readers believe a control that an older leader left. Content stays under the control that it was made with.
write_meta(meta_key, 'epoch', meta[EPOCH], 'proto', meta[STAMP], 'control', meta[CONTROL] or '')
return {'ACQUIRED', lock, lease, digits(now), digits(former == held and 0 or former), digits(stored_seq(control_key)), unpack(meta)}
