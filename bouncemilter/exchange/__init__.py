"""Suppression lists of others, read; our own, written in forms that others read. No store, no terminal."""
