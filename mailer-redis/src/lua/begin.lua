-- Decides which deliveries begin now, and marks them as started.
-- ARGV: 'gate', or 'start' to ask no hours and no limits; the policy version that the worker knows; bindings (stream,
-- why it never opens, the policy's hours, all hours, limits); groups (claim id, call number, number of the binding,
-- indexes), in the order of the batch.
-- Reply: 'verdicts', the policy version, what is scarce in a list (see there), then runs of count, code, and what belongs
-- to it; or 'ask' and the instant that the tables do not cover: then nothing has changed.
-- Complexity: O(deliveries + pages). Invariant: a delivery begins once per claim, and takes a token of every limit.
local is_gate = text() == 'gate'
local asked = int()
local bindings = {}
for i = 1, int() do
  local b = { stream = text(), never = text() }
  if not is_gate then
    b.go, b.again = { 'g', str(now), str(now + DOT_WITHIN) }, { 'r', str(now), str(now + DOT_WITHIN) }
  else
    b.policy_hours, b.hours = read_hours(), read_hours()
    b.lines = read_lines()
  end
  bindings[i] = b
end

local STALE, HELD_BACK, CHANGED = { 's' }, { 'h' }, { 'c' }
local dot_by = now + DOT_WITHIN
local no_policy = { 'l', shown({ scope = 'namespace', reason = 'no_policy', since = now }) }
local asks

-- Whether hours are open; then how many tokens there are, and until when they may be used.
local function open(b, s)
  local closed = closed_hours(s, b.policy_hours, b.hours)
  if type(closed) == 'number' then
    asks = closed
  elseif closed == 'never' then
    never_opens(s, b.never)
    b.stop = HELD_BACK
  elseif closed then
    if closed.until_ - now >= SHORT_WAIT then closed = defer(closed) end
    b.stop = { 'l', shown(closed) }
  else
    asks = limits_load(b.lines)
    if not asks then
      b.lane = s.lane
      local _, closes = opens(b.hours, now)
      b.go = { 'g', str(math.min(limits_use_by(b.lines), closes)), str(dot_by) }
    end
  end
end

-- No token is left: until when, and for whom.
local function refuse(b, s)
  local line, retry_at, ask = limits_refusal(b.lines)
  if ask then
    asks = ask
    return
  end
  local d = { scope = line.scope, lane = s.lane, reason = line.reason, since = now, of_policy = true }
  if retry_at then
    local at, never = opens(b.hours, retry_at)
    if not at and not never then
      asks = retry_at
      return
    elseif not at then
      never_opens(s, b.never)
      b.stop = HELD_BACK
      return
    end
    d.until_ = at
    if at > retry_at then d.detail = 'outside_hours' end
  end
  if not d.until_ or d.until_ - now >= SHORT_WAIT then d = defer(d) end
  b.stop = { 'l', shown(d) }
end

-- What stops a delivery, or nil: it may begin if there is a token.
local function hindrance(c, b, index)
  local mark = c and c.p.marks[index + 1]
  if not c or c.until_ <= now or (mark ~= HELD and mark ~= HELD_RETRY) then return STALE end
  if c.may_start == nil then c.may_start = may_start(c.s) end
  if not c.may_start then return HELD_BACK end
  if asked ~= version then return CHANGED end
  if not has_policy then return is_gate and no_policy or CHANGED end
  if is_gate and c.s.id ~= b.stream then return STALE end
  return nil
end

-- The verdict on a delivery that nothing hinders.
local function ask_for_token(b, s)
  if not is_gate then return b.go end
  if not b.stop and not b.go then open(b, s) end
  if asks or b.stop then return b.stop end
  if b.room == nil then b.room, b.taken = limits_free(b.lines), 0 end
  if b.taken < b.room then
    b.taken = b.taken + 1
    return b.go
  end
  -- The wait is reckoned from what is left when those before have taken theirs.
  if b.taken > 0 then limits_take(b.lines, b.taken) end
  b.room, b.taken = 0, 0
  refuse(b, s)
  return b.stop
end

local told = {}
local reply, last = { 'verdicts', version, told }, nil
local function tell(verdict)
  if last == verdict then
    reply[reply.count] = reply[reply.count] + 1
  else
    last = verdict
    reply[#reply + 1] = 1
    reply.count = #reply
    for _, part in ipairs(verdict) do reply[#reply + 1] = part end
  end
end

-- The verdicts that this very call of the claim was given before.
local function said_before(c)
  local said = {}
  local stored = c.said and cmsgpack.unpack(c.said)
  if stored and stored.call == c.call then
    for _, entry in ipairs(stored.entries) do
      for _, index in ipairs(entry.indexes) do said[index] = entry.verdict end
    end
  end
  for index = 0, PAGE_SIZE - 1 do
    local b = begun(c, index)
    if b and b.call == c.call then
      said[index] = { is_gate and 'g' or 'r', str(b.send_by), str(b.at + DOT_WITHIN) }
    elseif said[index] and not is_gate then
      -- A call that others have followed decides nothing any more.
      said[index] = STALE
    end
  end
  return said
end

local starts, refused = {}, {}
for _ = 1, int() do
  local c, call, b = claim(text()), int(), bindings[int()]
  if c and call > c.call then
    c.call, c.before, c.given, refused[c] = call, {}, {}, {}
  elseif c and call == c.call and not refused[c] then
    c.before, c.given, refused[c] = said_before(c), {}, {}
  end
  local started = {}
  for _, index in ipairs(indexes()) do
    local verdict
    if c and call < c.call then
      verdict = STALE
    elseif c and (c.before[index] or c.given[index]) then
      verdict = c.before[index] or c.given[index]
    else
      verdict = hindrance(c, b, index) or ask_for_token(b, c.s)
      if asks then break end
      if verdict == b.go then
        started[#started + 1] = index
        step(c.p, index, 'start')
      elseif c and is_gate then
        local same = refused[c][verdict] or { verdict = verdict, indexes = {} }
        refused[c][verdict] = same
        same.indexes[#same.indexes + 1] = index
      end
      if c and (is_gate or verdict == b.go) then c.given[index] = is_gate and verdict or b.again end
    end
    tell(verdict)
  end
  if asks then return answer({ 'ask', str(asks) }) end
  if is_gate and b.taken and b.taken > 0 then limits_take(b.lines, b.taken) end
  b.room, b.taken = nil, nil
  if #started > 0 then
    if not c.s.begun_at then set(c.s, 'begun_at', now) end
    starts[#starts + 1] = { c = c, b = b, indexes = started }
  end
end

for _, b in ipairs(bindings) do
  if b.lane then note_scarce(told, b.lines, b.lane) end
end
for _, start in ipairs(starts) do
  local receipt = is_gate and limits_receipt(start.b.lines) or nil
  note_begun(start.c, start.indexes, tonumber(start.b.go[2]), receipt)
end
for c, entries in pairs(refused) do
  local said = { call = c.call, entries = {} }
  for _, entry in pairs(entries) do said.entries[#said.entries + 1] = entry end
  for index, verdict in pairs(c.before) do
    if verdict[1] ~= 'g' and verdict[1] ~= 'r' then
      said.entries[#said.entries + 1] = { verdict = verdict, indexes = { index } }
    end
  end
  if is_gate and #said.entries > 0 then
    redis.call('HSET', P .. 'claim:' .. c.id, 'call', c.call, 'said', cmsgpack.pack(said))
  else
    redis.call('HSET', P .. 'claim:' .. c.id, 'call', c.call)
  end
end
limits_write()
return finish(reply)
