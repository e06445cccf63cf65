"""Whether the lake holds what the source holds: by counts, by keys both ways, and value by value."""
