-- Deliveries one by one: what they have to tell beyond their marks, their steps, and where that puts their page.

-- What a delivery has to tell beyond its mark; nil if nothing.
local function row(p, index)
  if not p.rows then
    p.rows = {}
    local all = redis.call('HGETALL', p.s.key .. 'rows:' .. p.number)
    for i = 1, #all, 2 do p.rows[tonumber(all[i])] = cjson.decode(all[i + 1]) end
  end
  return p.rows[index]
end

local function row_for_change(p, index)
  if not row(p, index) then p.rows[index] = {} end
  p.rows_changed[index] = true
  return p.rows[index]
end

-- The mark that follows on an event: DeliveryState::on in mailer-core. Nil: no delivery takes this step.
local function mark_after(mark, event)
  if mark == BEGUN then
    if event == 'send' then return SENT end
    if event == 'fail' then return FAILED end
    if event == 'refuse' then return RETRY end
    if event == 'back' then return PENDING end
    if event == 'lose' then return UNKNOWN end
  elseif mark == UNKNOWN then
    if event == 'send' then return SENT end
    if event == 'fail' then return FAILED end
    if event == 'resend' then return RETRY end
  elseif mark == PENDING or mark == HELD or mark == RETRY or mark == HELD_RETRY then
    if event == 'start' and is_in_hand(mark) then return BEGUN end
    if event == 'fail' then return FAILED end
    if event == 'skip' then return SKIPPED end
    if event == 'suppress' then return SUPPRESSED end
    if event == 'expire' then return EXPIRED end
    -- Late evidence about the attempt that a retry repeats.
    if event == 'send' and (mark == RETRY or mark == HELD_RETRY) then return SENT end
  end
end

-- Moves a delivery on, and its place in the counts with it. Nil: no delivery takes this step.
local function step(p, index, event)
  local before = p.marks[index + 1]
  local after = mark_after(before, event)
  if not after then return nil end
  p.marks[index + 1] = after
  p.marks_changed = true
  if is_in_hand(before) and not is_in_hand(after) then p.in_hand = p.in_hand - 1 end
  move(p.s, count_of(before), count_of(after), 1)
  return true
end

-- Lets go of a delivery that has not begun.
local function let_go(p, index)
  local mark = p.marks[index + 1]
  p.marks[index + 1] = mark == HELD and PENDING or RETRY
  p.marks_changed = true
  p.in_hand = p.in_hand - 1
end

local function owner(p)
  if p.owner == nil then p.owner = redis.call('HGET', p.s.key .. 'hands', p.number) end
  return p.owner or nil
end

local function set_owner(p, claim)
  p.owner = claim or false
  if claim then
    redis.call('HSET', p.s.key .. 'hands', p.number, claim)
  else
    redis.call('HDEL', p.s.key .. 'hands', p.number)
  end
end

-- When a delivery in this state may be taken in hand; nil: not at all.
local function due_of(p, index)
  local mark = p.marks[index + 1]
  if mark == PENDING or mark == HELD then return 0 end
  if mark ~= RETRY and mark ~= HELD_RETRY then return nil end
  local r = row(p, index)
  return tonumber(r and r.due or 0)
end

-- Puts a page where its deliveries' due times say, after they or its owner changed. Of single mails none of which wait any
-- more it is noted since when.
local function set_due(p)
  local due
  if not owner(p) then
    for index = 0, #p.marks - 1 do
      local at = due_of(p, index)
      if at and (not due or at < due) then due = at end
      if at == 0 then break end
    end
  end
  -- Written before it is read again by `place`.
  if due then
    redis.call('ZADD', p.s.key .. 'due', due, string.format('%08d', p.number))
  else
    redis.call('ZREM', p.s.key .. 'due', string.format('%08d', p.number))
    if not owner(p) and not is_campaign(p.s.id) then
      redis.call('ZADD', P .. 'finished', 'NX', now, p.number .. ' ' .. p.s.id)
    end
  end
end

local function first_due(s)
  local first = redis.call('ZRANGE', s.key .. 'due', 0, 0, 'WITHSCORES')
  if first[1] then return tonumber(first[1]), tonumber(first[2]) end
end

-- Writes the rows that were changed.
local function write_rows()
  for _, p in pairs(pages) do
    for index in pairs(p and p.rows_changed or {}) do
      redis.call('HSET', p.s.key .. 'rows:' .. p.number, index, cjson.encode(p.rows[index]))
    end
  end
end

