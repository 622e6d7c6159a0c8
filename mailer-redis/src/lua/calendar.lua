-- calendar: counting by calendar windows. Each window has a counter, a plain number: { used }.
-- Follows `counters`. Mirrors mailer-core's `limits::Calendar`.

local calendar = {}
kinds.c = calendar

function calendar.parse(counter, value)
  counter.used = value and assert(tonumber(value), counter.name .. ' is no counter') or 0
end

function calendar.free(line)
  return now < line.window.stop - GUARD and max(line.own - line.counter.used, 0) or 0
end

function calendar.use_by(line)
  return min(line.window.stop - GUARD, now + LONGEST_HOLD)
end

function calendar.take(line, n)
  line.counter.used = min(line.counter.used + n, MOST_TOKENS)
end

function calendar.give_back(counter, n)
  if counter.used > 0 then
    counter.used = max(counter.used - n, 0)
    change(counter)
  end
end

function calendar.used(line)
  return line.counter.used
end

function calendar.value(counter)
  return str(counter.used)
end

function calendar.forgotten_at(counter)
  return counter.stop + max(GRACE, floor((counter.stop - counter.start) / 10))
end

-- The window that holds the instant, of those that were given, and its counter.
local function window_at(line, at)
  for _, window in ipairs(line.windows) do
    if window.start <= at and at < window.stop then
      return window, counter_of('c', window.name, nil, window.start, window.stop)
    end
  end
end

-- Each full window is passed once; or the instant is an ask.
function calendar.next_free(line, from)
  local at = from
  while true do
    local window, counter = window_at(line, at)
    if not window then
      return nil, at
    end
    load({ counter })
    if counter.used < line.own and at < window.stop - GUARD then
      return at
    end
    at = window.stop
  end
end

