-- Which stream is served next, and when there may be something to claim again.

-- Ends the waits of their own that an old policy caused, thirty streams at a time.
local function end_old_waits()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'own', '-inf', '(' .. epoch, 'LIMIT', 0, 30)) do
    local b, left = book('waits:' .. id), false
    for field, slot in pairs(b.slots) do
      if holds_until(slot) then left = true else redis.call('HDEL', P .. 'waits:' .. id, field) end
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

-- Of each group of a lane that a worker serves: who has been served least. At most 500 groups, drawn by lot if there
-- are more.
local function servable(lane, room)
  local found = {}
  if not room.relays[lane] then return found end
  for _, group in ipairs(redis.call('SRANDMEMBER', P .. 'groups:' .. lane, 500)) do
    local relay, composer, sender = string.match(group, '^(.-)\n(.-)\n(.*)$')
    if room.relays[lane][relay] and room.composers[composer] then
      local ready = redis.call('ZRANGE', P .. 'ready:' .. lane .. ':' .. group, 0, room.excepted, 'WITHSCORES')
      for i = 1, #ready, 2 do
        if not room.except[ready[i]] then
          found[#found + 1] = { id = ready[i], service = tonumber(ready[i + 1]), relay = relay, sender = sender }
          break
        end
      end
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
      at = math.min(at, closed_until(lane, group) or now)
    end
  end
  return at < NEVER and str(at) or ''
end

