-- Decides which deliveries begin now, and marks them as started.
-- ARGV: 'gate', or 'start' to ask no hours and no limits; the policy version that the worker knows; bindings (stream, why
-- it never opens, the policy's hours, all hours, limits); groups (claim id, call number, number of the binding, indexes),
-- in the order of the batch.
-- Reply: 'verdicts', the policy version, then runs of count, code, and what belongs to it; or 'at' and the instant that
-- the tables do not cover: then nothing has changed.
-- Complexity: O(deliveries + pages). Invariant: a delivery begins once per claim, and takes a token of every limit.
local is_gate = text() == 'gate'
local asked = int()
local bindings = {}
for i = 1, int() do
  local b = { stream = text(), never = text() }
  if is_gate then
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

local function decide(c, b, index)
  local mark = c and c.p.marks[index + 1]
  if not c or c.until_ <= now or (mark ~= HELD and mark ~= HELD_RETRY) then return STALE end
  if c.may_start == nil then c.may_start = may_start(c.s) end
  if not c.may_start then return HELD_BACK end
  if asked ~= version then return CHANGED end
  if not is_gate then
    if not has_policy then return CHANGED end
    return { 'g', str(now), str(dot_by) }
  end
  if not has_policy then return no_policy end
  if c.s.id ~= b.stream then return STALE end
  if not b.stop and not b.go then open(b, c.s) end
  if asks then return STALE end
  if not b.stop and b.room == nil then b.room, b.taken = limits_free(b.lines), 0 end
  if not b.stop and b.taken < b.room then
    b.taken = b.taken + 1
    return b.go
  end
  if not b.stop then
    -- The wait is reckoned from what is left when those before have taken theirs.
    limits_take(b.lines, b.taken)
    b.receipt_of = (b.receipt_of or 0) + b.taken
    b.room, b.taken = 0, 0
    refuse(b, c.s)
  end
  return asks and STALE or b.stop
end

local runs, last = {}, nil
local function answer(verdict)
  if last and last.verdict == verdict then
    last.count = last.count + 1
  else
    last = { verdict = verdict, count = 1 }
    runs[#runs + 1] = last
  end
end

local touched_claims = {}
for _ = 1, int() do
  local c, call, b = claim(text()), int(), bindings[int()]
  if c and call > c.call then
    c.call, c.said, c.news = call, nil, {}
  elseif c and not c.news then
    c.news = {}
    for _, entry in ipairs(c.said and cmsgpack.unpack(c.said) or {}) do
      for _, index in ipairs(entry.indexes) do c.news[index] = entry.verdict end
    end
  end
  local started = {}
  for _ = 1, int() do
    local index = int()
    local verdict = c and c.news[index]
    if c and call < c.call then
      verdict = STALE
    elseif verdict then
      -- A call that others have followed decides nothing any more.
      if not is_gate then verdict = verdict[1] == 'g' and { 'r', verdict[2], verdict[3] } or STALE end
    else
      verdict = decide(c, b, index)
      if asks then return { seq, now, 'at', str(asks) } end
      if verdict[1] == 'g' then
        started[#started + 1] = index
        step(c.p, index, 'start')
        if not c.s.begun_at then set(c.s, 'begun_at', now) end
      end
      if c and (is_gate or verdict[1] == 'g') then c.news[index] = verdict end
    end
    answer(verdict)
  end
  if b.taken and b.taken > 0 then limits_take(b.lines, b.taken) end
  b.room, b.taken = nil, nil
  if c then
    touched_claims[c.id] = c
    if #started > 0 then
      c.started = c.started or {}
      c.started[#c.started + 1] = { at = now, indexes = started, lines = b.lines }
    end
  end
end

for id, c in pairs(touched_claims) do
  local entries, places = {}, {}
  for index, verdict in pairs(c.news) do
    local place = places[verdict]
    if not place then
      place = { verdict = verdict, indexes = {} }
      places[verdict] = place
      entries[#entries + 1] = place
    end
    place.indexes[#place.indexes + 1] = index
  end
  local values = { 'call', c.call, 'said', cmsgpack.pack(entries) }
  for _, started in ipairs(c.started or {}) do
    local receipt = started.lines and limits_receipt(started.lines)
    values[#values + 1] = '#' .. c.call .. ':' .. started.indexes[1]
    values[#values + 1] = cmsgpack.pack({ at = now, indexes = started.indexes, receipt = receipt })
  end
  redis.call('HSET', P .. 'claim:' .. id, unpack(values))
end
limits_write()

local reply = { 'verdicts', version }
for _, run in ipairs(runs) do
  reply[#reply + 1] = run.count
  for _, part in ipairs(run.verdict) do reply[#reply + 1] = part end
end
return finish(reply)
