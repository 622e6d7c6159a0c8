-- Which pages of a stream hold a delivery of which nobody knows. ARGV: stream, first page, number of pages (at most
-- 200).
-- Reply: 'missing', or 'pages', how many pages there are, and the numbers. Complexity: O(pages asked for).
local s, first, count = stream(text()), int(), int()
if not s then return answer({ 'missing' }) end
local found = {}
for number = first, math.min(first + count, s.pages) - 1 do
  local marks = redis.call('GETRANGE', s.key .. 'page:' .. number, 0, PAGE_SIZE - 1)
  if string.find(marks, 'u', 1, true) then found[#found + 1] = number end
end
return answer({ 'pages', s.pages, found })
