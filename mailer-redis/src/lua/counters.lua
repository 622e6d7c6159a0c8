-- counters: what limits have counted, read once and written once in a script.
-- Follows `arguments`.
--
-- KEYS: P..name, in the slot of the namespace, names as mailer-core's `limits::key` gives them.
-- Complexity: one MGET for what is loaded together, one SET for each counter that has changed.
-- Invariant: no counter is ever without an expiry.

local MOST_TOKENS = 4294967295
local SECOND = 1000000
local GUARD, GRACE, LONGEST_HOLD = SECOND / 4, 600 * SECOND, 5 * SECOND
local floor, ceil, min, max = math.floor, math.ceil, math.min, math.max

-- What is made when a limit of a kind is met: making it for every call would cost more than what most calls do.
local makers = {}

-- By kind of limit: parse(counter, value), value(counter), forgotten_at(counter), give_back(counter, n, granted_at,
-- cap); and of a line with its counter: free(line), used(line), use_by(line), take(line, n), next_free(line, from,
-- state).
local kinds = setmetatable({}, {
  __index = function(kinds, code)
    kinds[code] = makers[code]()
    return kinds[code]
  end,
})

local counter_of, load, change, limits_write
do
  local counters, changed = {}, {}

  -- The counter of this name. A calendar window has a start and a stop, any other kind a length.
  function counter_of(kind, name, length, start, stop)
    local counter = counters[name]
    if not counter then
      counter = {
        kind = kind, name = name, length = length, start = start, stop = stop, loaded = false, changed = false,
        seen_by = false
      }
      counters[name] = counter
    end
    return counter
  end

  -- Reads the counters that are not read yet.
  function load(wanted)
    local names, missing = {}, {}
    for _, counter in ipairs(wanted) do
      if not counter.loaded then
        counter.loaded = true
        missing[#missing + 1] = counter
        names[#names + 1] = P .. counter.name
      end
    end
    if #missing > 0 then
      local values = redis.call('MGET', unpack(names))
      for i, counter in ipairs(missing) do
        kinds[counter.kind].parse(counter, values[i])
      end
    end
  end

  -- Has it written.
  function change(counter)
    if not counter.changed then
      counter.changed = true
      changed[#changed + 1] = counter
    end
  end

  -- Writes what has changed, each with its expiry: a clock set back by less than the grace still finds it.
  function limits_write()
    for _, counter in ipairs(changed) do
      local kind = kinds[counter.kind]
      local value = kind.value(counter)
      if value then
        local left = max(ceil((kind.forgotten_at(counter) - now) / 1000), 1)
        redis.call('SET', P .. counter.name, value, 'PX', str(left))
      else
        redis.call('DEL', P .. counter.name)
      end
      counter.changed = false
    end
    changed = {}
  end
end

