"""What single Python files say, read with `ast` alone: bytes in, values out, nothing imported."""
