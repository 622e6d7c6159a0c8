-- Leases the first due page of the best due stream.
-- ARGV: claim id; room; the policy version that the hours are of; for each lane its name, why the policy's hours never
-- open, and these hours; for each stream with hours of its own its id, why it never opens, and its hours together with
-- the policy's.
-- Reply: 'claimed' and the page; 'nothing' and the next instant; 'hours' and the stream whose hours are missing;
-- 'policy' if it is another; 'at' and the instant that the tables do not cover.
-- Complexity: O(groups of the lane + size of a page). Invariant: a page has one owner.
local id = text()
local room = read_room()
local known = int()
local lane_hours, own_hours = {}, {}
for _ = 1, int() do
  local lane, never = text(), text()
  lane_hours[lane] = { never = never, hours = read_hours() }
end
for _ = 1, int() do
  local name, never = text(), text()
  own_hours[name] = { never = never, hours = read_hours() }
end

local function describe(c)
  local p, s = c.p, c.s
  local indexes, rows, mails = {}, {}, {}
  for index = 0, #p.marks - 1 do
    local mark = p.marks[index + 1]
    if mark == HELD or mark == HELD_RETRY then
      indexes[#indexes + 1] = index
      local r = row(p, index)
      if r then
        rows[#rows + 1] = index
        rows[#rows + 1] = r.attempts or 0
        rows[#rows + 1] = r.begun_at or ''
      end
    end
  end
  local body = ''
  if is_campaign(s.id) then
    body = redis.call('GETRANGE', p.key, PAGE_SIZE, -1)
  elseif #indexes > 0 then
    mails = redis.call('HMGET', s.key .. 'mails:' .. p.number, unpack(indexes))
  end
  return { 'claimed', s.id, s.n, tonumber(c.token), body, string.char(unpack(indexes)), rows, mails }
end

if claim(id) then return finish(describe(claim(id)), true) end
-- A call that comes late, after its claim has been settled, must not lease another page under the same id.
if redis.call('ZSCORE', P .. 'ended', id) then return finish({ 'nothing', '' }, true) end
wake()
if not has_policy then return finish({ 'nothing', '' }, true) end
if known ~= version then return finish({ 'policy' }, true) end

-- Single mails whose time is over do not begin.
local function expire_mails(p, taken)
  local names = {}
  for i, index in ipairs(taken) do names[i] = 'expires:' .. index end
  local left = {}
  for i, at in ipairs(redis.call('HMGET', p.s.key .. 'mails:' .. p.number, unpack(names))) do
    if at and tonumber(at) <= now then
      step(p, taken[i], 'expire')
    else
      left[#left + 1] = taken[i]
    end
  end
  return left
end

-- Takes the stream's first due page. Nil: nothing of it was left to take, and the stream stands elsewhere now.
local function lease(s)
  local number, due = first_due(s)
  if not number or due > now or not may_start(s) then return place(s) end
  local p = page(s, number)
  if not p then
    redis.call('ZREM', s.key .. 'due', string.format('%08d', number))
    return place(s)
  end
  local taken = {}
  for index = 0, #p.marks - 1 do
    local at = due_of(p, index)
    if at and at <= now then taken[#taken + 1] = index end
  end
  if not is_campaign(s.id) and #taken > 0 then taken = expire_mails(p, taken) end
  if #taken == 0 then
    set_due(p)
    if is_campaign(s.id) and not s.finished_at and is_over(s) then set(s, 'finished_at', now) end
    return place(s)
  end
  -- A page that was taken back twice may hold a mail that kills who composes it: one by one.
  local reaps = tonumber(redis.call('HGET', s.key .. 'reaps', number) or 0)
  local at_most = reaps >= REAPS_BEFORE_SINGLE and 1 or #taken
  for i = 1, at_most do
    local at = taken[i] + 1
    p.marks[at] = p.marks[at] == PENDING and HELD or HELD_RETRY
  end
  p.in_hand = at_most
  p.marks_changed = true
  set_owner(p, id)
  set_due(p)
  local token = redis.call('HINCRBY', META, 'token', 1)
  redis.call('HSET', P .. 'claim:' .. id, 'stream', s.id, 'page', number, 'until', str(now + LEASE), 'call', 0,
    'token', token)
  redis.call('ZADD', P .. 'leases', str(now + LEASE), id)
  claims[id] = nil
  charge(s, at_most)
  place(s)
  return claim(id)
end

-- The stream of a lane that is served next, of those that this worker can serve and that nothing defers.
local function best(lane)
  if wait_of('namespace', lane) then return nil end
  local first
  for _, group in ipairs(servable(lane, room)) do
    local earlier = group.id and (not first or group.service < first.service
      or group.service == first.service and group.id < first.id)
    if earlier and not closed_until(lane, group) then first = group end
  end
  return first
end

-- Asked here and again at begin: a claim that could not begin would only be composed in vain. Nil: they are open.
local function defer_while_closed(s)
  local policy = lane_hours[s.lane]
  local all = own_hours[s.id] or policy
  local closed = closed_hours(s, policy.hours, all.hours)
  if type(closed) == 'table' then
    defer(closed)
    if closed.scope ~= 'namespace' then place(s) end
  elseif closed == 'never' then
    never_opens(s, all.never)
    place(s)
  end
  return closed
end

-- Each round leases a page, or puts a stream or a scope to sleep; what is left is for the next call.
for _, lane in ipairs({ 'test', 'transactional', 'bulk' }) do
  for _ = 1, 50 do
    local group = best(lane)
    if not group then break end
    local name = group.id
    local s = stream(name)
    if not s then
      return finish({ 'nothing', '' }, true)
    elseif s.hours and not own_hours[name] then
      return finish({ 'hours', name, s.n }, true)
    end
    -- A clock that was set back may find it ready too early.
    local due = next_due(s)
    if due and due <= now then
      local closed = defer_while_closed(s)
      if type(closed) == 'number' then return finish({ 'at', closed }, true) end
      local c = not closed and lease(s)
      if c then return finish(describe(c), true) end
    else
      place(s)
    end
    first_of(lane, group, room)
  end
end
return finish({ 'nothing', next_claim(room) }, true)
