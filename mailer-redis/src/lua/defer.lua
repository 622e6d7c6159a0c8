-- Closes a scope. ARGV: see `read_defer`. Reply: the deferral that holds then; empty if none does. Complexity: O(1).
return finish({ defer_as_asked(read_defer()) })
