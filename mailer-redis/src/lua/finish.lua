-- Writes all that was decided, and answers.
local function finish(reply, unconfirmed)
  place_touched()
  write_pages()
  write_rows()
  write_streams()
  write_waits()
  return (unconfirmed and answer_unconfirmed or confirm)(reply)
end

