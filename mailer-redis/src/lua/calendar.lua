-- calendar: counting by calendar windows. Each window has a counter, a plain number: { start, stop, used }.
-- Follows `counters`. Mirrors mailer-core's `limits::Calendar`.

function makers.c()
  local calendar = {}

  -- The counter of the window that holds the instant, of those that were given: start, end, name.
  function calendar.window_at(line, at)
    for place = line.first, line.last, 3 do
      local start, stop = tonumber(ARGV[place]), tonumber(ARGV[place + 1])
      if start <= at and at < stop then
        return counter_of('c', ARGV[place + 2], nil, start, stop)
      end
    end
  end

  function calendar.parse(counter, value)
    counter.used = value and (tonumber(value) or error(counter.name .. ' is no counter')) or 0
  end

  function calendar.free(line)
    local counter = line.counter
    return now < counter.stop - GUARD and max(line.own - counter.used, 0) or 0
  end

  function calendar.use_by(line)
    return min(line.counter.stop - GUARD, now + LONGEST_HOLD)
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

  -- Each full window is passed once; or the instant is an ask.
  function calendar.next_free(line, from)
    local at = from
    while true do
      local counter = calendar.window_at(line, at)
      if not counter then
        return nil, at
      end
      load({ counter })
      if counter.used < line.own and at < counter.stop - GUARD then
        return at
      end
      at = counter.stop
    end
  end

  function calendar.value(counter)
    return str(counter.used)
  end

  function calendar.forgotten_at(counter)
    return counter.stop + max(GRACE, floor((counter.stop - counter.start) / 10))
  end

  return calendar
end

