-- Reads the control, the pinned content if the control has a pin, and meta, all of the same moment. It writes nothing.
-- KEYS:
--   1 control string  "<seq>\n<body>", see package control
--   2 pinned  string  the content of the pin, as a blob
--   3 meta    hash
-- ARGV:
--   1 control int     the greatest size of a control, in bytes
--   2 pinned  int     the greatest size of a blob, in bytes
-- Returns {now, the control, pinned, 1 or 0: whether the latest leader knows of controls, the fields of meta}.
-- A value that is too large is cut to its greatest size and one byte, and a missing one is empty.

local control_key, pinned_key, meta_key = KEYS[1], KEYS[2], KEYS[3]
local limit, pinned_limit = tonumber(ARGV[1]), tonumber(ARGV[2])

local now = clock()
if not now then return bad_clock() end
local stored = read('GETRANGE', control_key, 0, limit) or ''
local pinned = ''
if string.find(stored, '^%d+\n{"pin":') then pinned = read('GETRANGE', pinned_key, 0, pinned_limit) or '' end
local meta = read_meta(meta_key)
local known = (not meta[EPOCH] or has_proto(meta)) and 1 or 0
return {digits(now), stored, pinned, known, unpack(meta)}
