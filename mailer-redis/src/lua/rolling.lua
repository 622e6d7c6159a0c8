-- rolling: counting any stretch of time, in at most 128 buckets: { buckets = index, tokens, index, tokens... } by
-- index.
-- Follows `counters`. Mirrors mailer-core's `limits::Rolling`. Stored packed.

function makers.r()
  local MOST_BUCKETS = 128

  local rolling = {}

  local function hold(window)
    return min(max(floor(window / 20), SECOND / 2), LONGEST_HOLD)
  end

  local function width(window)
    return floor((window + hold(window) + 99) / 100)
  end

  local function freed_at(counter, index)
    return (index + 1) * width(counter.length) + counter.length
  end

  -- Where in the list the bucket of a token granted at that instant is, or belongs, and whether it is there.
  local function place(counter, granted_at)
    local index = floor((granted_at + hold(counter.length)) / width(counter.length))
    local buckets = counter.buckets
    local at = #buckets + 1
    while at > 1 and buckets[at - 2] >= index do
      at = at - 2
    end
    return at, index, buckets[at] == index
  end

  -- Where in the list the buckets begin that count at that instant, and how many tokens they hold.
  local function live(counter, at)
    local buckets, sum = counter.buckets, 0
    local first = #buckets + 1
    while first > 1 and freed_at(counter, buckets[first - 2]) > at do
      first = first - 2
      sum = sum + buckets[first + 1]
    end
    return first, sum
  end

  -- The two oldest if neither counts any more; else the two latest, which outlast all others anyway.
  local function merge(counter)
    local buckets = counter.buckets
    local at = #buckets - 3
    if freed_at(counter, buckets[3]) <= now then
      at = 1
    end
    buckets[at + 3] = min(buckets[at + 3] + buckets[at + 1], MOST_TOKENS)
    table.remove(buckets, at)
    table.remove(buckets, at)
  end

  function rolling.parse(counter, value)
    counter.buckets = value and cmsgpack.unpack(value) or {}
  end

  function rolling.used(line)
    local counter = line.counter
    if not counter.sum then
      local _
      _, counter.sum = live(counter, now)
    end
    return counter.sum
  end

  function rolling.free(line)
    return line.own - min(rolling.used(line), line.own)
  end

  function rolling.use_by(line)
    return now + hold(line.length)
  end

  function rolling.take(line, n)
    local counter = line.counter
    local buckets = counter.buckets
    local at, index, there = place(counter, now)
    if there then
      buckets[at + 1] = min(buckets[at + 1] + n, MOST_TOKENS)
    else
      table.insert(buckets, at, n)
      table.insert(buckets, at, index)
      if #buckets > 2 * MOST_BUCKETS then
        merge(counter)
      end
    end
    -- What is granted now counts now, and merging takes nothing from what counts.
    counter.sum = counter.sum and counter.sum + n
  end

  function rolling.give_back(counter, n, granted_at)
    local at, _, there = place(counter, granted_at)
    if there then
      local buckets = counter.buckets
      buckets[at + 1] = max(buckets[at + 1] - n, 0)
      if buckets[at + 1] == 0 then
        table.remove(buckets, at)
        table.remove(buckets, at)
      end
      counter.sum = nil
      change(counter)
    end
  end

  function rolling.next_free(line, from)
    local counter = line.counter
    local buckets = counter.buckets
    local first, used = live(counter, from)
    local at = from
    while used >= line.own and first < #buckets do
      used = used - buckets[first + 1]
      at = freed_at(counter, buckets[first])
      first = first + 2
    end
    return at
  end

  function rolling.value(counter)
    return #counter.buckets > 0 and cmsgpack.pack(counter.buckets) or nil
  end

  function rolling.forgotten_at(counter)
    local last = counter.buckets[#counter.buckets - 1]
    return freed_at(counter, last) + max(GRACE, floor(counter.length / 10))
  end

  return rolling
end

