"""AWS DMS on a laptop: its API, its tasks, and the files its tasks write."""
