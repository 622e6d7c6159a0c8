-- Streams, read as far as a script needs them and written in one go: until then nothing has changed, so that a script
-- can still answer that it must be asked otherwise.
local streams = {}

local function number(text)
  return text and tonumber(text)
end

-- The fields of a stream that most scripts do without are read when one of them is asked for.
local function read_rest(s, field)
  setmetatable(s, nil)
  local v = redis.call('HMGET', P .. 'stream:' .. s.id, 'lane', 'sender', 'composer', 'rule', 'hours', 'weight',
    'service', 'starts_at', 'pages', 'last_size', 'total', 'failed', 'unknown', 'suppressed', 'skipped', 'expired')
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
      'begun_at', 'finished_at', 'pending', 'in_flight', 'retrying', 'sent', 'recent')
    s = v[1] and setmetatable({
      id = id, changed = {}, n = v[1], key = P .. v[1] .. ':', relay = v[2], stand = v[3], held = v[4],
      due = number(v[5]), sealed_at = number(v[6]), expires_at = number(v[7]), begun_at = number(v[8]), finished_at = number(v[9]),
      pending = tonumber(v[10]), in_flight = tonumber(v[11]), retrying = tonumber(v[12]), sent = tonumber(v[13]),
      recent = v[14],
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

-- Writes what was changed.
local function write_streams()
  for id, s in pairs(streams) do
    local values = {}
    for field in pairs(s and s.changed or {}) do
      local value = s[field]
      if not value then
        redis.call('HDEL', P .. 'stream:' .. id, field)
      else
        values[#values + 1] = field
        values[#values + 1] = type(value) == 'number' and str(value) or value
      end
    end
    if #values > 0 then redis.call('HSET', P .. 'stream:' .. id, unpack(values)) end
  end
end

