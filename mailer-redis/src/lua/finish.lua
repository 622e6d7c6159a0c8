-- Writes all that was decided, and answers.
local function finish(reply)
  place_touched()
  write_pages()
  write_rows()
  write_streams()
  write_waits()
  return confirm(reply)
end

