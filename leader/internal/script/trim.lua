-- Removes the oldest entries of the history until it fits, if this process holds the lock. The newest entry always stays.
-- KEYS:
--   1 lock     string
--   2 history  stream
-- ARGV:
--   1 lock     string  the lock's value as this process wrote it
--   2 most     int     the history's greatest size in bytes: of names and values of all entries
-- Returns {OK, the number of entries left, their size in bytes} or {FENCED}.

local lock_key, history_key = KEYS[1], KEYS[2]
local own_lock, most = ARGV[1], tonumber(ARGV[2])

if read('GET', lock_key) ~= own_lock then return {'FENCED'} end
local all = read('XRANGE', history_key, '-', '+') or {}
local first, bytes = #all + 1, 0
for i = #all, 1, -1 do
  local size = 0
  for _, part in ipairs(all[i][2]) do size = size + #part end
  if i < #all and bytes + size > most then break end
  first, bytes = i, bytes + size
end
if first > 1 and first <= #all then redis.call('XTRIM', history_key, 'MINID', all[first][1]) end
return {'OK', #all - first + 1, digits(bytes)}
