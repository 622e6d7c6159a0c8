-- Pages of streams, read and written like these.
local pages = {}

-- A page of a stream, or nil.
local function page(s, number)
  local key = s.key .. 'page:' .. number
  local p = pages[key]
  if p == nil then
    local marks = redis.call('GETRANGE', key, 0, PAGE_SIZE - 1)
    if marks == '' then
      p = false
    else
      p = { s = s, number = number, key = key, marks = { string.byte(marks, 1, -1) }, rows_changed = {} }
      local _, in_hand = string.gsub(marks, '[PRB]', '')
      p.in_hand = in_hand
    end
    pages[key] = p
  end
  return p or nil
end

-- Counts deliveries elsewhere.
local function move(s, from, to, n)
  set(s, from, s[from] - n)
  set(s, to, s[to] + n)
end

-- Moves those of a list that stand at `from`: a delivery named twice moves once. Returns those that moved.
local function step_all(p, indexes, from, to)
  local marks, moved = p.marks, {}
  for _, index in ipairs(indexes) do
    if marks[index + 1] == from then
      marks[index + 1] = to
      moved[#moved + 1] = index
    end
  end
  p.marks_changed = true
  if not is_in_hand(to) then p.in_hand = p.in_hand - #moved end
  move(p.s, count_of(from), count_of(to), #moved)
  return moved
end

-- Whether all of a list stand at this mark.
local function all_stand_at(p, indexes, mark)
  for _, index in ipairs(indexes) do
    if p.marks[index + 1] ~= mark then return false end
  end
  return true
end

-- Writes the marks that were changed.
local function write_pages()
  for _, p in pairs(pages) do
    if p and p.marks_changed then redis.call('SETRANGE', p.key, 0, string.char(unpack(p.marks))) end
  end
end

