-- The state of a namespace, read as far as a script needs it and written in one go by `finish`: until then nothing has
-- changed, so that a script can still answer that it must be asked otherwise.
--
-- Marks: one byte for each delivery of a page. A small letter is in nobody's hand; a capital one is in its owner's.
local FREE, PENDING, RETRY, HELD, HELD_RETRY, BEGUN = 32, 112, 114, 80, 82, 66
local SENT, FAILED, UNKNOWN, SKIPPED, SUPPRESSED, EXPIRED = 115, 102, 117, 107, 120, 101

local IN_HAND = { [HELD] = true, [HELD_RETRY] = true, [BEGUN] = true }

local function count_of(mark)
  if mark == PENDING or mark == HELD then return 'pending' end
  if mark == BEGUN then return 'in_flight' end
  if mark == SENT then return 'sent' end
  if mark == RETRY or mark == HELD_RETRY then return 'retrying' end
  if mark == FAILED then return 'failed' end
  if mark == UNKNOWN then return 'unknown' end
  if mark == SKIPPED then return 'skipped' end
  if mark == SUPPRESSED then return 'suppressed' end
  return 'expired'
end

local function is_in_hand(mark)
  return mark == HELD or mark == HELD_RETRY or mark == BEGUN
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

local streams, pages, meta_changed = {}, {}, {}

local function number(text)
  return text and tonumber(text)
end

-- The fields of a stream that most scripts do without are read when one of them is asked for.
local function read_rest(s, field)
  setmetatable(s, nil)
  local v = redis.call('HMGET', P .. 'stream:' .. s.id, 'lane', 'sender', 'composer', 'rule', 'hours', 'weight', 'service',
    'starts_at', 'pages', 'last_size', 'total', 'failed', 'unknown', 'suppressed', 'skipped', 'expired')
  local rest = {
    lane = v[1], sender = v[2], composer = v[3], rule = v[4], hours = v[5], weight = tonumber(v[6]),
    service = tonumber(v[7]), starts_at = number(v[8]), pages = tonumber(v[9]), last_size = number(v[10]),
    total = tonumber(v[11]), failed = tonumber(v[12]), unknown = tonumber(v[13]), suppressed = tonumber(v[14]),
    skipped = tonumber(v[15]), expired = tonumber(v[16]),
  }
  for name, value in pairs(rest) do
    -- What was changed before it was ever read stays.
    if not s.changed[name] then s[name] = value end
  end
  return s[field]
end

-- A stream, or nil. A field that it does not have is false.
local function stream(id)
  local s = streams[id]
  if s == nil then
    local v = redis.call('HMGET', P .. 'stream:' .. id, 'n', 'relay', 'stand', 'held', 'due', 'sealed_at', 'expires_at',
      'begun_at', 'finished_at', 'pending', 'in_flight', 'retrying', 'sent')
    s = v[1] and setmetatable({
      id = id, changed = {}, n = v[1], key = P .. v[1] .. ':', relay = v[2], stand = v[3], held = v[4], due = number(v[5]),
      sealed_at = number(v[6]), expires_at = number(v[7]), begun_at = number(v[8]), finished_at = number(v[9]),
      pending = tonumber(v[10]), in_flight = tonumber(v[11]), retrying = tonumber(v[12]), sent = tonumber(v[13]),
      may_have_ended = false,
    }, { __index = read_rest })
    streams[id] = s
  end
  return s or nil
end

local function set(s, field, value)
  s[field] = value
  s.changed[field] = true
end

-- What stops a stream beside deferrals: nil, 'paused', 'halted' or 'cancelled'. One whose working hours never open
-- goes on with the next policy.
local function held(s)
  if not s.held then return nil end
  local kind, of_epoch = string.match(s.held, '^(%a+) ?(%d*)')
  if of_epoch ~= '' and tonumber(of_epoch) < epoch then return nil end
  return kind
end

local function expired(s)
  return s.expires_at and s.expires_at <= now
end

local function is_campaign(id)
  return string.sub(id, 1, 1) ~= '~'
end

-- Whether a delivery of it may start, as far as it alone decides.
local function may_start(s)
  return (s.sealed_at or not is_campaign(s.id)) and not held(s) and not expired(s)
end

local function is_over(s)
  if s.in_flight > 0 then return false end
  if held(s) == 'cancelled' then return true end
  return s.sealed_at and (expired(s) or s.pending + s.retrying == 0)
end

-- A page of a stream, or nil.
local function page(s, number)
  local key = s.key .. 'page:' .. number
  local p = pages[key]
  if p == nil then
    local marks = redis.call('GETRANGE', key, 0, PAGE_SIZE - 1)
    if marks == '' then
      p = false
    else
      p = { s = s, number = number, key = key, marks = { string.byte(marks, 1, -1) }, rows_changed = {} }
      local _, in_hand = string.gsub(marks, '[PRB]', '')
      p.in_hand = in_hand
    end
    pages[key] = p
  end
  return p or nil
end

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

local function move(s, from, to, n)
  set(s, from, s[from] - n)
  set(s, to, s[to] + n)
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

-- The same for some that all stand at `from`: a delivery named twice moves once. Returns those that moved.
local function step_all(p, indexes, from, to)
  local marks, moved = p.marks, {}
  for _, index in ipairs(indexes) do
    if marks[index + 1] == from then
      marks[index + 1] = to
      moved[#moved + 1] = index
    end
  end
  p.marks_changed = true
  if not is_in_hand(to) then p.in_hand = p.in_hand - #moved end
  move(p.s, count_of(from), count_of(to), #moved)
  return moved
end

-- Whether all of a list stand at this mark.
local function all_stand_at(p, indexes, mark)
  for _, index in ipairs(indexes) do
    if p.marks[index + 1] ~= mark then return false end
  end
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

-- Puts a page where its deliveries' due times say, after they or its owner changed.
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
  end
end

local function first_due(s)
  local first = redis.call('ZRANGE', s.key .. 'due', 0, 0, 'WITHSCORES')
  if first[1] then return tonumber(first[1]), tonumber(first[2]) end
end

local function set_meta(field, value)
  meta_changed[#meta_changed + 1] = field
  meta_changed[#meta_changed + 1] = type(value) == 'number' and str(value) or value
end

