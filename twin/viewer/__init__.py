"""Runs in space: a page in the browser, a file that plays, a video."""
