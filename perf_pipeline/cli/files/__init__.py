"""Commands that write or remove files and start nothing: init, prune."""
