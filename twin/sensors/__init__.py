"""From truth to observation: noise and delay."""
