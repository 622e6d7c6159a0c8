-- pace: even spacing, as a bucket that leaks: { at, level }. A line sees it leak by its own allowance.
-- Follows `counters`. Mirrors mailer-core's `limits::Pace`. Stored as 'at level'.

-- A counter is kept for as long as the last who took from it sees it leak (`own`).
function makers.p()
  local BURST = SECOND / 10

  local pace = {}

  local function brim(tokens, period)
    return max(floor(tokens * BURST / period), 1) * period
  end

  local function held(line, state)
    return min(state.level, brim(line.cap, line.length))
  end

  local function level(line, state, at)
    local before, since = held(line, state), at - state.at
    if since < -SECOND then
      return min(before, brim(line.own, line.length) - line.length)
    end
    since = max(since, 0)
    if line.own > 0 and since >= ceil(before / line.own) then
      return 0
    end
    return before - line.own * since
  end

  local function room(line, state, at)
    if line.own == 0 then
      return 0
    end
    local left = brim(line.own, line.length) - level(line, state, at)
    return min(floor(max(left, 0) / line.length), MOST_TOKENS)
  end

  function pace.parse(counter, value)
    local at, above = string.match(value or '', '^(%-?%d+) (%d+)$')
    if value and not at then
      error(counter.name .. ' is no pace')
    end
    counter.at, counter.level = tonumber(at or now), tonumber(above or 0)
  end

  function pace.free(line)
    return room(line, line.counter, now)
  end

  function pace.use_by()
    return now + SECOND
  end

  -- After a small step back the leak resumes where it had been. An empty pace has nowhere to resume.
  function pace.after(line, n)
    local counter = line.counter
    local at = max(now, counter.at)
    if counter.level == 0 or now - counter.at < -SECOND then
      at = now
    end
    return { at = at, level = level(line, counter, now) + n * line.length }
  end

  function pace.take(line)
    local counter = line.counter
    counter.at, counter.level, counter.own = line.after.at, line.after.level, line.own
  end

  function pace.give_back(counter, n, granted_at, cap)
    if granted_at <= counter.at then
      local leaked = (counter.at - granted_at) * cap
      local back = min(max(n * counter.length - leaked, 0), counter.level)
    if back > 0 then
      counter.level = counter.level - back
      change(counter)
    end
    end
  end

  function pace.used(line)
    return ceil(level(line, line.counter, now) / line.length)
  end

  function pace.next_free(line, from, state)
    state = state or line.counter
    if room(line, state, from) > 0 then
      return from
    end
    local over = held(line, state) - (brim(line.own, line.length) - line.length)
    return state.at + ceil(over / line.own)
  end

  function pace.value(counter)
    return str(counter.at) .. ' ' .. str(counter.level)
  end

  function pace.forgotten_at(counter)
    return counter.at + ceil(counter.level / max(counter.own, 1)) + GRACE
  end

  return pace
end

