-- limits: one answer over several limits, as mailer-core's `limits` reckons it; tests hold both to the same answers.
-- Follows `arguments`, `counters`, `calendar`, `rolling`, `pace`. Instants and lengths are whole microseconds, and
-- every step stays below 2^53.
--
-- ARGV (read_lines): count, then per line: kind 'c' | 'r' | 'p', index (the line's place in the demand, from 0),
-- own, cap, until (0, or when a retiring line stops to count), scope, reason, then
-- 'c': count, then start, end, name of each window, in order; 'r': name, window; 'p': name, period.
--
-- Order of use: read_lines, limits_load, limits_free, limits_take, ..., limits_write. All but limits_write only read.
-- An instant called `ask` lies in no window that was given: the script then changes nothing and answers
-- {seq, mark, now, 'ask', instant}, and the caller asks again with the windows around it.
-- Complexity: O(lines), times 128 for rolling ones.
-- Invariant: lines of the same name share one counter, which is taken from once.

local read_lines, limits_load, limits_free, limits_use_by, limits_take
local limits_refusal, limits_retry_at, limits_used, limits_receipt, limits_check, limits_return
do
  local MOST_ROUNDS = 64

  -- The first instant from `from` on at which the line has a token; nil for never; nil and an ask.
  local function next_free(line, from, state)
    if line.own > 0 then
      return line.how.next_free(line, from, state)
    end
  end

  -- The first instant at which all have a token: one wait may end where another limit has just closed.
  local function all_free(lines, taken)
    for _, line in ipairs(lines) do
      if line.own == 0 then
        return nil
      end
    end
    local at = now
    for _ = 1, MOST_ROUNDS do
      local before = at
      for _, line in ipairs(lines) do
        local ask
        at, ask = next_free(line, at, taken and line.after)
        if ask then
          return nil, ask
        end
      end
      if at == before then
        break
      end
    end
    return at
  end

  -- The lines that count now: each with .index, .scope and .reason to name it by.
  function read_lines()
    local lines = {}
    for _ = 1, int() do
      local kind = text()
      local index = int()
      local own = int()
      local cap = int()
      local retires = int()
      local scope = text()
      local reason = text()
      local line = {
        kind = kind, index = index, own = own, cap = cap, scope = scope, reason = reason, how = kinds[kind],
        counter = false, takes = false, after = false
      }
      if kind == 'c' then
        -- Most of the windows are never looked at: they are read where they stand.
        local windows = int()
        line.first, line.last = cursor + 1, cursor + 3 * windows
        cursor = line.last
      else
        line.name = text()
        line.length = int()
      end
      if retires == 0 or now < retires then
        lines[#lines + 1] = line
      end
    end
    return lines
  end

  -- Reads the counters of the lines; an ask if a line has no window of the present.
  function limits_load(lines)
    local wanted = {}
    for i = 1, #lines do
      local line = lines[i]
      if not line.counter then
        local counter
        if line.kind == 'c' then
          counter = line.how.window_at(line, now)
          if not counter then
            return now
          end
        else
          counter = counter_of(line.kind, line.name, line.length)
        end
        -- What is counted is counted once, by the allowance of the first line that has the counter.
        line.counter, line.takes = counter, counter.seen_by ~= lines
        counter.seen_by = lines
        wanted[#wanted + 1] = counter
      end
    end
    load(wanted)
  end

  -- How many tokens all lines have, and which of the lines is the first with the least, if any has less than there can
  -- be.
  function limits_free(lines)
    local least, narrowest = MOST_TOKENS, nil
    for i = 1, #lines do
      local line = lines[i]
      local free = line.how.free(line)
      if free < least then
        least, narrowest = free, i
      end
    end
    return least, narrowest
  end

  -- When a token granted now is void.
  function limits_use_by(lines)
    local use_by = now + LONGEST_HOLD
    for i = 1, #lines do
      local line = lines[i]
      use_by = min(use_by, line.how.use_by(line))
    end
    return use_by
  end

  -- Takes n tokens, no more than are free, of each counter: as n times one.
  function limits_take(lines, n)
    for i = 1, #lines do
      local line = lines[i]
      if line.kind == 'p' then
        line.after = line.how.after(line, n)
      end
    end
    for i = 1, #lines do
      local line = lines[i]
      if line.takes then
        line.how.take(line, n)
        change(line.counter)
      end
    end
  end

  -- Where no token is free: the line that refuses longest, of equals the last, and when all have one: nil for never.
  -- Or nil, nil, ask.
  function limits_refusal(lines)
    local longest, wait
    for _, line in ipairs(lines) do
      if line.how.free(line) == 0 then
        local at, ask = next_free(line, now)
        if ask then
          return nil, nil, ask
        end
        at = at or NEVER
        if not longest or at >= wait then
          longest, wait = line, at
        end
      end
    end
    local retry_at, ask = all_free(lines)
    return not ask and longest or nil, retry_at, ask
  end

  -- After limits_take of all that was free: when one more can be had, or nil and an ask.
  function limits_retry_at(lines)
    return all_free(lines, true)
  end

  -- How many tokens count now, and the end of the present window of a calendar limit.
  function limits_used(line)
    return min(line.how.used(line), MOST_TOKENS), line.counter.stop
  end

  -- What limits_return needs to know of the lines, to be packed: of each counter kind, name, and start, end, 0 or
  -- length, cap, own.
  function limits_receipt(lines)
    local receipt = {}
    for _, line in ipairs(lines) do
      if line.takes then
        local counter, n = line.counter, #receipt
        receipt[n + 1], receipt[n + 2] = line.kind, counter.name
        if line.kind == 'c' then
          receipt[n + 3], receipt[n + 4], receipt[n + 5] = counter.start, counter.stop, 0
        else
          receipt[n + 3], receipt[n + 4], receipt[n + 5] = line.length, line.cap, line.own
        end
      end
    end
    return receipt
  end

  -- Calls visit(kind, counter, cap) for each counter of a receipt, read.
  local function each_of(receipt, visit)
    for i = 1, #receipt, 5 do
      local kind, name = receipt[i], receipt[i + 1]
      local counter, cap
      if kind == 'c' then
        counter = counter_of(kind, name, nil, receipt[i + 2], receipt[i + 3])
      else
        counter, cap = counter_of(kind, name, receipt[i + 2]), receipt[i + 3]
        counter.own = counter.own or receipt[i + 4]
      end
      load({ counter })
      visit(kind, counter, cap)
    end
  end

  -- Fails here where limits_return would: to be called before anything is written.
  function limits_check(receipt)
    each_of(receipt, function() end)
  end

  -- Gives back n tokens that were granted at that instant: to the windows of then, which may be gone.
  function limits_return(receipt, n, granted_at)
    each_of(receipt, function(kind, counter, cap) kinds[kind].give_back(counter, n, granted_at, cap) end)
  end
end

