"""Pages on many runs: what a sweep, a margin or trees of a rare event show, in sections with tables and pictures."""
