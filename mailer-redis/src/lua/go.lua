-- What most calls of `begin` are: new ones, where nothing hinders anybody and there are tokens for all. Anything else
-- is answered with 'slow', and nothing has changed: then `begin` looks at everyone.
-- ARGV and reply: as `begin`. Complexity: O(deliveries + pages).
local SLOW = answer({ 'slow' })
if text() ~= 'gate' or int() ~= version or not has_policy then return SLOW end

local bindings = {}
for i = 1, int() do
  local b = { stream = text(), never = text(), policy_hours = read_hours(), hours = read_hours(), lines = read_lines() }
  local at, closes = opens(b.hours, now)
  if not at and not closes then return answer({ 'ask', str(now) }) end
  if at ~= now then return SLOW end
  local ask = limits_load(b.lines)
  if ask then return answer({ 'ask', str(ask) }) end
  b.send_by = math.min(limits_use_by(b.lines), closes)
  bindings[i] = b
end

local starts, taken, told = {}, 0, {}
local reply = { 'verdicts', version, told }
for i = 1, int() do
  local c, call, b, list = claim(text()), int(), bindings[int()], indexes()
  if not c or call <= c.call or c.until_ <= now or c.s.id ~= b.stream or not may_start(c.s) then return SLOW end
  b.free = limits_free(b.lines)
  if not all_stand_at(c.p, list, HELD) or b.free < #list then return SLOW end
  local started = step_all(c.p, list, HELD, BEGUN)
  if #started ~= #list then return SLOW end
  limits_take(b.lines, #started)
  b.lane, taken = c.s.lane, taken + #started
  c.call = call
  if not c.s.begun_at then set(c.s, 'begun_at', now) end
  starts[i] = { c = c, b = b, indexes = started }
  reply[#reply + 1] = #started
  reply[#reply + 1] = 'g'
  reply[#reply + 1] = str(b.send_by)
  reply[#reply + 1] = str(now + DOT_WITHIN)
end

for _, b in ipairs(bindings) do
  -- Mostly there are so many that nobody else can have left few of them.
  if b.free - taken < FEW_TOKENS then note_scarce(told, b.lines, b.lane) end
end
for _, start in ipairs(starts) do
  note_begun(start.c, start.indexes, start.b.send_by, limits_receipt(start.b.lines))
end
limits_write()
write_pages()
write_streams()
return confirm(reply)
