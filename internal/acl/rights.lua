-- Checks which commands this user may run, without running them. Writes nothing.
-- KEYS: none
-- ARGV: any number of strings, each a command with its arguments, separated by spaces
-- Returns 1 for each allowed command and 0 for each denied one, or nil if this Redis cannot check.

if not redis.acl_check_cmd then return false end
local answers = {}
for i, command in ipairs(ARGV) do
  local words = {}
  for word in string.gmatch(command, '%S+') do words[#words + 1] = word end
  -- An unknown command raises an error and counts as allowed.
  local known, allowed = pcall(redis.acl_check_cmd, unpack(words))
  answers[i] = (known and not allowed) and 0 or 1
end
return answers
