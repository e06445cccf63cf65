"""Making a source ready for its task, looking whether it is, and putting it back.

``Side`` is where statements run: here (``Direct``), or in the function beside the databases. ``Record`` keeps what
takes preparation back, for as long as it may have to be.
"""
