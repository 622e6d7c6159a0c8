-- reserve: takes tokens for demands, one after the other.
-- KEYS: the namespace; `reservation:ID` for each demand, and the counters of its limits.
-- ARGV: count of demands, then per demand: id, n, lines (see limits).
-- Reply: {0, 0, now, 'done', then per demand: granted, use by, when asked, binding scope, reason, retry at}, '' for
-- none; or {0, 0, now, 'ask', instant}.
-- Complexity: a GET and a SET per demand, and what its limits cost.
-- Invariant: an id that was granted something takes nothing more while it is remembered; an ask changes nothing.

-- How long a reservation is remembered after its tokens can no longer be used.
local REMEMBERED = 60000000

-- Of this call, by id.
local made = {}

-- What was answered to this id before, if it was a grant.
local function remembered(id)
  local reservation = made[id]
  if not reservation then
    local packed = redis.call('GET', P .. 'reservation:' .. id)
    reservation = packed and cmsgpack.unpack(packed)
  end
  if reservation and now < reservation.forgotten_at then
    return reservation
  end
end

-- The answer to a demand, or nil and an ask.
local function reserve(lines, n)
  local ask = limits_load(lines)
  if ask then
    return nil, ask
  end
  local answer = { granted = 0, use_by = now, at = now, scope = '', reason = '', retry_at = '', unused = 0 }
  local free, narrowest = limits_free(lines)
  local line, retry_at
  if free == 0 then
    line, retry_at, ask = limits_refusal(lines)
  else
    answer.granted = math.min(n, free)
    answer.use_by = limits_use_by(lines)
    if answer.granted > 0 then
      limits_take(lines, answer.granted)
      answer.receipt = limits_receipt(lines)
      answer.forgotten_at = answer.use_by + REMEMBERED
    end
    if answer.granted < n then
      line = lines[narrowest]
      retry_at, ask = limits_retry_at(lines)
    end
  end
  if line then
    answer.scope, answer.reason, answer.retry_at = line.scope, line.reason, retry_at or ''
  end
  return not ask and answer or nil, ask
end

local reply = { 0, 0, now, 'done' }
for _ = 1, int() do
  local id = text()
  local n = int()
  local lines = read_lines()
  local answer = remembered(id)
  if not answer then
    local ask
    answer, ask = reserve(lines, n)
    if ask then
      return { 0, 0, now, 'ask', ask }
    end
    if answer.granted > 0 then
      made[id] = answer
    end
  end
  for _, name in ipairs({ 'granted', 'use_by', 'at', 'scope', 'reason', 'retry_at' }) do
    reply[#reply + 1] = answer[name]
  end
end

limits_write()
for id, answer in pairs(made) do
  local left = math.ceil((answer.forgotten_at - now) / 1000)
  redis.call('SET', P .. 'reservation:' .. id, cmsgpack.pack(answer), 'PX', str(left))
end
return reply
