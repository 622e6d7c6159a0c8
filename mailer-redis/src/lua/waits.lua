-- Deferrals: DeferralBook in mailer-core. Those of the namespace, of relays and senders are in one hash, those of one
-- campaign or stream in a hash of its own. A field is `SCOPE|LANE|ORIGIN`: `*` for every lane, origin `p` for what the
-- policy caused and `o` for the rest. A value is `UNTIL EPOCH JSON`: `-` where there is no end, and where no policy
-- ends it.
local books = {}

local function book_of(scope)
  local name = string.match(scope, '^campaign:(.*)$') or string.match(scope, '^stream:(.*)$')
  return name and 'waits:' .. name or 'waits', name
end

-- The book of one stream whole; that of the wide scopes empty, for `slots_of` to fill: there may be many of them.
local function book(name)
  local b = books[name]
  if not b then
    b = { slots = {}, changed = {} }
    if name ~= 'waits' then
      local all = redis.call('HGETALL', P .. name)
      for i = 1, #all, 2 do b.slots[all[i]] = all[i + 1] end
    end
    books[name] = b
  end
  return b
end

-- The fields of a scope's waits that concern a lane: those of every lane first, and what the policy caused last.
local function fields_of(scope, lane)
  return { scope .. '|*|o', scope .. '|*|p', scope .. '|' .. lane .. '|o', scope .. '|' .. lane .. '|p' }
end

-- The book that a scope is in, with at least these fields of it read.
local function slots_of(scope, fields)
  local name = book_of(scope)
  local b = book(name)
  local missing = false
  for _, field in ipairs(fields) do missing = missing or b.slots[field] == nil end
  if name == 'waits' and missing then
    for i, value in ipairs(redis.call('HMGET', P .. name, unpack(fields))) do
      if b.slots[fields[i]] == nil then b.slots[fields[i]] = value end
    end
  end
  return b
end

local function ended_with_its_policy(slot)
  local of_epoch = string.match(slot, '^%S+ (%S+) ')
  return of_epoch ~= '-' and tonumber(of_epoch) ~= epoch
end

-- When a wait ends, if it still holds.
local function holds_until(slot)
  if not slot or ended_with_its_policy(slot) then return nil end
  local until_ = string.match(slot, '^%S+')
  local at = until_ == '-' and NEVER or tonumber(until_)
  if at > now then return at end
end

-- The latest end of a scope's waits for a lane, or nil.
local function wait_of(scope, lane)
  local fields, latest = fields_of(scope, lane), nil
  local slots = slots_of(scope, fields).slots
  for _, field in ipairs(fields) do
    local at = holds_until(slots[field])
    if at and (not latest or at > latest) then latest = at end
  end
  return latest
end

-- Writes the deferrals that were changed.
local function write_waits()
  for name, b in pairs(books) do
    for field in pairs(b.changed) do redis.call('HSET', P .. name, field, b.slots[field]) end
    if b.own then redis.call('ZADD', P .. 'own', epoch, b.own) end
  end
end

