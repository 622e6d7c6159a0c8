-- usage: how far limits are used up.
-- KEYS: the namespace, and the counters of the limits.
-- ARGV: lines (see limits).
-- Reply: {0, 0, now, 'done', then per line: tokens that count, end of the present window or ''}; or {0, 0, now, 'ask',
-- instant}.
-- Complexity: one MGET.
-- Invariant: changes nothing.

local lines = read_lines()
local ask = limits_load(lines)
if ask then
  return { 0, 0, now, 'ask', ask }
end

local reply = { 0, 0, now, 'done' }
for _, line in ipairs(lines) do
  local used, ends = limits_used(line)
  reply[#reply + 1] = used
  reply[#reply + 1] = ends or ''
end
return reply
