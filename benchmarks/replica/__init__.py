"""What keeping a replica costs, against other ways of writing the same rows into the same server."""
