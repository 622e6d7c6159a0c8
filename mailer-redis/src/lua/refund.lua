-- refund: takes back the tokens of a reservation that will not be used.
-- KEYS: the namespace; `reservation:ID`, and the counters that its receipt names.
-- ARGV: id, unused (tokens, in all).
-- Reply: {0, 0, now}.
-- Complexity: a GET and a SET for the reservation and for each of its counters.
-- Invariant: no more comes back than was granted, and none of it twice.

local key = P .. 'reservation:' .. text()
local packed = redis.call('GET', key)
local reservation = packed and cmsgpack.unpack(packed)
if not reservation or now >= reservation.forgotten_at then
  return { 0, 0, now }
end

local unused = math.min(int(), reservation.granted)
local more = unused - reservation.unused
if more > 0 then
  limits_return(reservation.receipt, more, reservation.at)
  reservation.unused = unused
  limits_write()
  local left = math.ceil((reservation.forgotten_at - now) / 1000)
  redis.call('SET', key, cmsgpack.pack(reservation), 'PX', str(left))
end
return { 0, 0, now }
