"""Commands that judge a long run."""
