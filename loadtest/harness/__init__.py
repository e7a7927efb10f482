"""The load test's parts, one concern a file; loadtest/run.py is the way in."""
