"""Bytes between the target and each server, by the kernel's count of every TCP connection."""
