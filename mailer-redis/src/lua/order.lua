-- The fair order: FairOrder in mailer-core.

-- When a stream has something to claim, as far as it alone decides; nil: at no known instant.
local function next_due(s)
  if not may_start(s) then return nil end
  local _, due = first_due(s)
  if due and s.starts_at and s.starts_at > due then return s.starts_at end
  return due
end

-- Streams of one lane, relay, composer and sender stand together: whoever cannot serve one can serve none of them.
local function group_of(s)
  return s.relay .. ' ' .. s.composer .. ' ' .. s.sender
end

local lanes = {}

-- The service of who was served last in a lane: newcomers start there, not at nought.
local function served(lane)
  if not lanes[lane] then lanes[lane] = tonumber(redis.call('HGET', META, 'served:' .. lane) or 0) end
  return lanes[lane]
end

local function take_out(s)
  if s.stand == 'asleep' then
    redis.call('ZREM', P .. 'asleep', s.id)
  elseif s.stand == 'ready' then
    local key = P .. 'ready:' .. s.lane .. ':' .. group_of(s)
    redis.call('ZREM', key, s.id)
    if redis.call('EXISTS', key) == 0 then redis.call('SREM', P .. 'groups:' .. s.lane, group_of(s)) end
  end
end

-- Whether something is due of which idle workers do not know.
local roused = false

-- Says to the fair order when something of the stream is due: FairOrder::due in mailer-core.
local function set_stand(s, due)
  local stand = not due and 'out' or due > now and 'asleep' or 'ready'
  if s.stand == stand and (stand ~= 'asleep' or s.due == due) then return end
  take_out(s)
  set(s, 'stand', stand)
  roused = roused or stand ~= 'out'
  if stand == 'asleep' then
    set(s, 'due', due)
    redis.call('ZADD', P .. 'asleep', due, s.id)
  elseif stand == 'ready' then
    set(s, 'service', math.max(s.service, served(s.lane)))
    redis.call('ZADD', P .. 'ready:' .. s.lane .. ':' .. group_of(s), s.service, s.id)
    redis.call('SADD', P .. 'groups:' .. s.lane, group_of(s))
  end
end

-- A wait of the stream's own puts it to sleep; wider scopes are passed over as a whole.
local function place(s)
  local due = next_due(s)
  if due then
    local one, other = wait_of('campaign:' .. s.id, s.lane), wait_of('stream:' .. s.id, s.lane)
    due = math.max(due, one or 0, other or 0)
  end
  set_stand(s, due)
end

local function shift(s, cost)
  set(s, 'service', math.max(s.service + cost, 0))
  if s.stand == 'ready' then
    redis.call('ZADD', P .. 'ready:' .. s.lane .. ':' .. group_of(s), s.service, s.id)
  end
end

-- Charges a stream for deliveries that it was given.
local function charge(s, count)
  if s.service > served(s.lane) then
    lanes[s.lane] = s.service
    set_meta('served:' .. s.lane, s.service)
  end
  shift(s, count * math.floor(SERVICE_UNIT / s.weight))
end

local function uncharge(s, count)
  shift(s, -count * math.floor(SERVICE_UNIT / s.weight))
end

local touched = {}

-- To be placed when all is decided.
local function touch(s)
  touched[s.id] = s
end

-- Something became of its deliveries, or of what holds it: it may have ended.
local function touch_and_end(s)
  touch(s)
  s.may_have_ended = true
end

-- Notes the end of a stream, or when something of it is due next.
local function place_touched()
  for id, s in pairs(touched) do
    if s.may_have_ended and not s.finished_at and is_campaign(id) and is_over(s) then set(s, 'finished_at', now) end
    place(s)
  end
  touched = {}
end

