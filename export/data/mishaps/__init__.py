"""Digits to which something happened between the hand and the upload."""
