"""A folder that makes a worker hold the interpreter lock by itself."""
