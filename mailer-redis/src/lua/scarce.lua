-- scarce: which limits have few tokens left. Follows `limits`.

-- Adds, for each such line: scope, lane, how many there are, and, where there is none and one comes soon, when; else ''.
-- A wait of which no window was given is not soon.
local function note_scarce(told, lines, lane)
  for i = 1, #lines do
    local line = lines[i]
    local free = line.how.free(line)
    if free < FEW_TOKENS then
      local more_at = free == 0 and line.own > 0 and line.how.next_free(line, now)
      local n = #told
      told[n + 1], told[n + 2], told[n + 3] = line.scope, lane, free
      told[n + 4] = more_at and more_at - now < SHORT_WAIT and str(more_at) or ''
    end
  end
end

