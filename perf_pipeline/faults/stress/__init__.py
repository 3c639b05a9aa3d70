"""Programs that use up cores, memory and the disk, and end with the process that started them."""
