"""Reloads: a table is loaded anew at its source, and the new load takes the old one's place in one commit."""
