-- KEYS: none  ARGV: commands with their arguments, in one text each, separated by spaces
-- Asks which commands this user may run, without running them. Writes nothing.
-- Returns for each 1, or 0 if it is denied, or nothing at all if this Redis cannot tell.

if not redis.acl_check_cmd then return false end
local answers = {}
for i, text in ipairs(ARGV) do
  local words = {}
  for word in string.gmatch(text, '%S+') do words[#words + 1] = word end
  -- A command that this Redis does not know raises an error: nobody may be denied it.
  local known, allowed = pcall(redis.acl_check_cmd, unpack(words))
  answers[i] = (known and not allowed) and 0 or 1
end
return answers
