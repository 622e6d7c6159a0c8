-- Deferrals: DeferralBook in mailer-core. Those of the namespace, of relays and senders are in one hash, those of one
-- campaign or stream in a hash of its own. A field is `SCOPE|LANE|ORIGIN`: `*` for every lane, origin `p` for what the
-- policy caused and `o` for the rest. A value is `UNTIL EPOCH JSON`: `-` where there is no end, and where no policy ends it.
local books = {}

local function book_of(scope)
  local name = string.match(scope, '^campaign:(.*)$') or string.match(scope, '^stream:(.*)$')
  return name and 'waits:' .. name or 'waits', name
end

local function book(name)
  local b = books[name]
  if not b then
    b = { slots = {}, changed = {} }
    local all = redis.call('HGETALL', P .. name)
    for i = 1, #all, 2 do b.slots[all[i]] = all[i + 1] end
    books[name] = b
  end
  return b
end

-- When a wait ends, if it still holds.
local function holds_until(slot)
  if not slot then return nil end
  local until_, of_epoch = string.match(slot, '^(%S+) (%S+) ')
  if of_epoch ~= '-' and tonumber(of_epoch) ~= epoch then return nil end
  local at = until_ == '-' and NEVER or tonumber(until_)
  if at > now then return at end
end

-- The latest end of a scope's waits for a lane, or nil.
local function wait_of(scope, lane)
  local slots, latest = book((book_of(scope))).slots, nil
  for _, bound in ipairs({ '*', lane }) do
    for _, origin in ipairs({ 'o', 'p' }) do
      local at = holds_until(slots[scope .. '|' .. bound .. '|' .. origin])
      if at and (not latest or at > latest) then latest = at end
    end
  end
  return latest
end

-- When a stream has something to claim, as far as it alone decides; nil: at no known instant.
local function next_due(s)
  if not may_start(s) then return nil end
  local _, due = first_due(s)
  if due and s.starts_at and s.starts_at > due then return s.starts_at end
  return due
end

-- Streams of one lane, relay, composer and sender stand together: whoever cannot serve one can serve none of them.
local function group_of(s)
  return s.relay .. '\n' .. s.composer .. '\n' .. s.sender
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

-- Says to the fair order when something of the stream is due: FairOrder::due in mailer-core.
local function set_stand(s, due)
  local stand = not due and 'out' or due > now and 'asleep' or 'ready'
  if s.stand == stand and (stand ~= 'asleep' or s.due == due) then return end
  take_out(s)
  set(s, 'stand', stand)
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

-- Writes a deferral, unless a later one of its slot holds; returns the one that holds then.
local function defer(d)
  local name, own = book_of(d.scope)
  local b = book(name)
  local field = d.scope .. '|' .. (d.lane or '*') .. '|' .. (d.of_policy and 'p' or 'o')
  local old = b.slots[field]
  local old_end = holds_until(old)
  if old_end then
    local said = cjson.decode(string.match(old, '^%S+ %S+ (.*)$'))
    if old_end >= (d.until_ or NEVER) then
      return { scope = d.scope, lane = d.lane, reason = said.reason, until_ = old_end < NEVER and old_end or nil,
        since = tonumber(said.since), detail = said.detail, of_policy = d.of_policy }
    end
    d.since = tonumber(said.since)
  end
  b.slots[field] = (d.until_ and str(d.until_) or '-') .. ' ' .. (d.of_policy and epoch or '-') .. ' '
    .. cjson.encode({ reason = d.reason, since = str(d.since), detail = d.detail })
  b.changed[field] = true
  if own then
    b.own = own
    local s = stream(own)
    if s then touch(s) end
  end
  return d
end

-- The working hours of a stream never open: a campaign halts, single mails wait for another policy.
local function never_opens(s, detail)
  if is_campaign(s.id) then
    if not held(s) then
      set(s, 'held', 'halted ' .. epoch .. ' ' .. cjson.encode({ halted = { cause = 'no_opening', detail = detail } }))
      redis.call('ZADD', P .. 'own', epoch, s.id)
    end
    touch(s)
  else
    defer({ scope = 'campaign:' .. s.id, reason = 'outside_hours', since = now, detail = detail, of_policy = true })
  end
end

-- A deferral as a reply has it.
local function shown(d)
  return { d.scope, d.lane or '', d.reason, d.until_ and str(d.until_) or '', str(d.since), d.detail or '' }
end

-- Notes the end of a stream, or when something of it is due next.
local function place_touched()
  for id, s in pairs(touched) do
    if s.may_have_ended and not s.finished_at and is_campaign(id) and is_over(s) then set(s, 'finished_at', now) end
    place(s)
  end
  touched = {}
end

-- Writes all that was decided, and answers.
local function finish(reply)
  place_touched()
  for _, p in pairs(pages) do
    if p then
      if p.marks_changed then redis.call('SETRANGE', p.key, 0, string.char(unpack(p.marks))) end
      for index in pairs(p.rows_changed) do
        redis.call('HSET', p.s.key .. 'rows:' .. p.number, index, cjson.encode(p.rows[index]))
      end
    end
  end
  for _, s in pairs(streams) do
    if s then
      local values = {}
      for field in pairs(s.changed) do
        local value = s[field]
        if not value then
          redis.call('HDEL', P .. 'stream:' .. s.id, field)
        else
          values[#values + 1] = field
          values[#values + 1] = type(value) == 'number' and str(value) or value
        end
      end
      if #values > 0 then redis.call('HSET', P .. 'stream:' .. s.id, unpack(values)) end
    end
  end
  for name, b in pairs(books) do
    for field in pairs(b.changed) do redis.call('HSET', P .. name, field, b.slots[field]) end
    if b.own then redis.call('ZADD', P .. 'own', epoch, b.own) end
  end
  redis.call('HSET', META, 'seq', str(seq + 1), unpack(meta_changed))
  local answer = { seq + 1, now }
  for i, part in ipairs(reply) do answer[2 + i] = part end
  return answer
end

