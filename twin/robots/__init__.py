"""Robots and those that act as one: identity, inbox, mode, decisions, failsafes, service times."""
