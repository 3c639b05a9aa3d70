"""What commands print for people: whole words in at most 100 columns."""
