"""Whether a long run leaks, slows down or fails more and more."""
