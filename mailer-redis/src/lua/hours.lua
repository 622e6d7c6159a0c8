-- Working hours as a table: mailer_core::schedule::openings. Stretches {from, opens, closes}; opens -1: never.
local function read_hours()
  local hours = {}
  for i = 1, int() do hours[i] = { int(), int(), int() } end
  return hours
end

-- When it opens at or after an instant, and when it then closes. Without hours it is always open. Nil: the table does
-- not say, or (with true) it never opens.
local function opens(hours, at)
  if #hours == 0 then return at, NEVER end
  for _, stretch in ipairs(hours) do
    if stretch[1] <= at and at < stretch[3] then
      if stretch[2] < 0 then return nil, true end
      return math.max(at, stretch[2]), stretch[3]
    end
  end
  return nil, nil
end

-- What closed hours mean for a stream at this instant: refusal::of_hours in mailer-core. Nil: they are open. Otherwise
-- a deferral, or 'never', or the instant that the tables do not cover.
local function closed_hours(s, policy, all)
  local at, closes = opens(all, now)
  if at == now then return nil end
  if not at and not closes then return now end
  local policy_at, policy_closes = opens(policy, now)
  if not policy_at and not policy_closes then return now end
  if not at or not policy_at then return 'never' end
  local d = { lane = s.lane, reason = 'outside_hours', since = now, of_policy = true }
  if policy_at > now then
    d.scope, d.until_ = 'namespace', policy_at
  else
    d.scope, d.until_ = 'campaign:' .. s.id, at
  end
  return d
end

