"""The core of Catchment: what a change is, and how changes become a table."""
