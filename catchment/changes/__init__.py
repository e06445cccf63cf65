"""What changes mean, as relational steps: functions that return queries and touch nothing.

A ``Session`` runs them; whoever calls a step gives its rows the name that later steps read them by (``relations``).
The steps, in order:

1. ``effects``   a change row becomes what it does to keys: an upsert, a delete, or, where the key itself changed,
                 the delete of the old key and the upsert of the new one. Effects are put in order:
                 (load generation, sequence token, file position, row, old key before new key).
2. ``net``       per key the last effect wins.
3. ``guard``     a winner older than the row the table already has does not count; one that would change nothing
                 neither.
4. ``fill``      a column that the winner's file does not speak of keeps its last known value.
5. ``account``   every row read is superseded, stale or applied.

The queries are in DuckDB's dialect, of which they use only what can be rendered for Spark SQL with the same meaning.
"""
