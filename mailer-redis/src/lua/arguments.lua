-- What every script begins with: its arguments in order, and the time.
-- KEYS: the namespace in braces, and its meta. ARGV: now in microseconds or '' for the server's own, identity, last
-- change that was confirmed and its mark, a mark for this change, the rest.
local P = KEYS[1] .. ':'
local cursor = 5

local function text()
  cursor = cursor + 1
  return ARGV[cursor]
end

local function int()
  cursor = cursor + 1
  return tonumber(ARGV[cursor])
end

-- Indexes within a page: a byte each.
local function indexes()
  return { string.byte(text(), 1, -1) }
end

-- A whole number as text: `..` and tostring would round what is above 10^14.
local function str(number)
  return string.format('%.0f', number)
end

-- Later than any instant.
local NEVER = 9007199254740992

local now
if ARGV[1] ~= '' then
  now = tonumber(ARGV[1])
else
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end

