-- Which stream is served next, and when there may be something to claim again.

-- Ends the waits of their own that an old policy caused, thirty streams at a time.
local function end_old_waits()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'own', '-inf', '(' .. epoch, 'LIMIT', 0, 30)) do
    local b, left = book('waits:' .. id), false
    for field, slot in pairs(b.slots) do
      if ended_with_its_policy(slot) then redis.call('HDEL', P .. 'waits:' .. id, field) else left = true end
    end
    if left then redis.call('ZADD', P .. 'own', epoch, id) else redis.call('ZREM', P .. 'own', id) end
    local s = stream(id)
    if s then
      if s.held and not held(s) then set(s, 'held', false) end
      place(s)
    end
  end
end

-- Wakes every stream whose time has come, thirty at a time.
local function wake()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'asleep', '-inf', now, 'LIMIT', 0, 30)) do
    local s = stream(id)
    if s then place(s) else redis.call('ZREM', P .. 'asleep', id) end
  end
  end_old_waits()
end

-- What a worker can serve: the relays of each lane, its composers, and the streams of which it has enough in hand.
local function read_room()
  local room = { relays = {}, composers = {}, except = {} }
  for _ = 1, int() do
    local relay = text()
    for lane in string.gmatch(text(), '%a+') do
      room.relays[lane] = room.relays[lane] or {}
      room.relays[lane][relay] = true
    end
  end
  for _ = 1, int() do room.composers[text()] = true end
  -- Single mails are composed by whatever composer their letter names.
  room.composers[''] = true
  local excepted = int()
  for _ = 1, excepted do room.except[text()] = true end
  room.excepted = excepted
  return room
end

-- So many groups are looked at in one call, drawn by lot if there are more: by then, who comes next among a hundred
-- senders is nobody's loss.
local GROUPS_AT_ONCE = 100
local drawn = {}

-- Who has been served least of a group, of those that the worker takes.
local function first_of(lane, group, room)
  local ready = redis.call('ZRANGE', P .. 'ready:' .. lane .. ':' .. group.name, 0, room.excepted, 'WITHSCORES')
  group.id = nil
  for i = 1, #ready, 2 do
    if not room.except[ready[i]] then
      group.id, group.service = ready[i], tonumber(ready[i + 1])
      return
    end
  end
end

-- The groups of a lane that a worker serves, each with who comes first. Whether there are more than were drawn is said
-- by `drawn.more`.
local function servable(lane, room)
  if drawn[lane] then return drawn[lane] end
  local found = {}
  drawn[lane] = found
  if not room.relays[lane] then return found end
  local names = redis.call('SRANDMEMBER', P .. 'groups:' .. lane, GROUPS_AT_ONCE + 1)
  if #names > GROUPS_AT_ONCE then
    drawn.more = true
    names[#names] = nil
  end
  for _, name in ipairs(names) do
    local relay, composer, sender = string.match(name, '^(%S*) (%S*) (.*)$')
    if room.relays[lane][relay] and room.composers[composer] then
      local group = { name = name, relay = relay, sender = sender }
      first_of(lane, group, room)
      if group.id then found[#found + 1] = group end
    end
  end
  return found
end

-- When the wider scopes of a group open for a lane; nil: they are open.
local function closed_until(lane, group)
  local latest
  for _, scope in ipairs({ 'namespace', 'relay:' .. group.relay, 'sender:' .. group.sender }) do
    local at = wait_of(scope, lane)
    if at and (not latest or at > latest) then latest = at end
  end
  return latest
end

-- The next instant at which a worker may claim something; '' if none is known.
local function next_claim(room)
  if not has_policy then return '' end
  local first = redis.call('ZRANGE', P .. 'asleep', 0, 0, 'WITHSCORES')
  local at = first[2] and tonumber(first[2]) or NEVER
  for _, lane in ipairs({ 'test', 'transactional', 'bulk' }) do
    for _, group in ipairs(servable(lane, room)) do
      if group.id then at = math.min(at, closed_until(lane, group) or now) end
    end
  end
  -- More than thirty waits have ended with the policy that caused them.
  if redis.call('ZCOUNT', P .. 'own', '-inf', '(' .. epoch) > 0 then at = now end
  -- The lot may not have fallen on those that could be served.
  if drawn.more then at = math.min(at, now + 50000) end
  return at < NEVER and str(at) or ''
end

