-- Deferring, and what a reply says of it.

-- Writes a deferral, unless a later one of its slot holds; returns the one that holds then.
local function defer(d)
  local _, own = book_of(d.scope)
  local field = d.scope .. '|' .. (d.lane or '*') .. '|' .. (d.of_policy and 'p' or 'o')
  local b = slots_of(d.scope, { field })
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

