-- Removes the oldest entries of the history until it fits, if this process holds the lock. The newest entry always stays.
-- KEYS:
--   1 lock     string
--   2 history  stream
-- ARGV:
--   1 lock     string  the lock's value as this process wrote it
--   2 most     int     the history's greatest size in bytes: of IDs, names and values of all entries, and one for each
-- Returns {OK, the number of entries left, their size in bytes, the hash of the newest or an empty string} or {FENCED}.

local lock_key, history_key = KEYS[1], KEYS[2]
local own_lock, most = ARGV[1], tonumber(ARGV[2])

if read('GET', lock_key) ~= own_lock then return {'FENCED'} end
-- What is older than the entries that fit is not read: any client may have written it. Pages begin small, since
-- its entries may be huge.
local count, bytes, page, oldest, full = 0, 0, 1, nil, false
repeat
  local entries = read('XREVRANGE', history_key, oldest and '(' .. oldest or '+', '-', 'COUNT', page) or {}
  for _, entry in ipairs(entries) do
    local size = #entry[1]
    for _, part in ipairs(entry[2]) do size = size + #part + 1 end
    full = full or count > 0 and bytes + size > most
    if not full then count, bytes, oldest = count + 1, bytes + size, entry[1] end
  end
  local last = #entries < page
  page = math.min(2 * page, 64)
until full or last
if full then redis.call('XTRIM', history_key, 'MINID', oldest) end
return {'OK', count, digits(bytes), bounded(newest(history_key), 64) or ''}
