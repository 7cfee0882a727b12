"""Byte formats as functions from bytes to values and back; nothing here opens a file."""
