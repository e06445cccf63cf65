"""What bringing a table up to date costs, side by side with other ways and with what the bytes alone cost.

``python -m benchmarks.apply`` measures and writes ``benchmarks/results/apply.json``, plots beside it and
``docs/performance.md``; ``--help`` lists how to choose cells. A cell is one engine on one table with one set of
changes.
"""
