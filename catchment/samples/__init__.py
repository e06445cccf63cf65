"""Sample systems: databases to try the pipeline on, the same for the same seed on every engine.

``tables`` says what a system is, ``seeding`` writes it into a database.
"""
