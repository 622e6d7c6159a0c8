-- Adds a page. ARGV: campaign, loader, pages stored, digest before, digest after, last key, number of recipients, page.
-- Reply: 'done'; 'missing', 'taken_over', 'sealed', or 'other' and how many pages are stored. Complexity: O(page).
-- Invariant: pages chain; the last one repeated changes nothing.
local id, loader, pages, before, after = text(), text(), int(), text(), text()
local last_key, count, body = text(), int(), text()
local load, wrong = check_load(id, loader, pages, before)
if load and pages + 1 == load.pages and before == load.before_last and after == load.digest then
  return answer({ 'done' })
end
if not load then return wrong end
if load.sealed then return answer({ 'sealed' }) end
if pages ~= load.pages or before ~= load.digest then return answer({ 'other', load.pages }) end

local s = stream(id)
redis.call('SET', s.key .. 'page:' .. pages, string.rep('p', count) .. string.rep(' ', PAGE_SIZE - count) .. body)
redis.call('ZADD', s.key .. 'due', 0, string.format('%08d', pages))
redis.call('HSET', P .. 'stream:' .. id, 'before_last', before, 'digest', after, 'last_key', last_key, 'loaded_at',
  str(now))
redis.call('ZADD', P .. 'drafts', str(now), id)
set(s, 'pages', pages + 1)
set(s, 'total', s.total + count)
set(s, 'pending', s.pending + count)
write_streams()
return confirm({ 'done' })
