-- What the next step of loading must find: the same loader, the same pages. Nil, or the reply that says what is wrong.
local function check_load(id, loader, pages, before)
  local v = redis.call('HMGET', P .. 'stream:' .. id, 'loader', 'sealed_at', 'digest', 'pages', 'before_last')
  if not v[3] then return nil, answer({ 'missing' }) end
  if v[1] ~= loader then return nil, answer({ 'taken_over' }) end
  if v[2] and v[3] ~= before then return nil, answer({ 'sealed' }) end
  return { sealed = v[2], digest = v[3], pages = tonumber(v[4]), before_last = v[5] }
end

