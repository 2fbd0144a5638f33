"""A scheduler: a plain function that numba can compile."""


def first_deadline(candidate):
    """Serve first whose delay budget ends first."""
    return -float(candidate.deadline)
