-- Marks: one byte for each delivery of a page. A small letter is in nobody's hand; a capital one is in its owner's.
local FREE, PENDING, RETRY, HELD, HELD_RETRY, BEGUN = 32, 112, 114, 80, 82, 66
local SENT, FAILED, UNKNOWN, SKIPPED, SUPPRESSED, EXPIRED = 115, 102, 117, 107, 120, 101

local function count_of(mark)
  if mark == PENDING or mark == HELD then return 'pending' end
  if mark == BEGUN then return 'in_flight' end
  if mark == SENT then return 'sent' end
  if mark == RETRY or mark == HELD_RETRY then return 'retrying' end
  if mark == FAILED then return 'failed' end
  if mark == UNKNOWN then return 'unknown' end
  if mark == SKIPPED then return 'skipped' end
  if mark == SUPPRESSED then return 'suppressed' end
  return 'expired'
end

local function is_in_hand(mark)
  return mark == HELD or mark == HELD_RETRY or mark == BEGUN
end

