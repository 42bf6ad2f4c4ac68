"""Steps that run on other machines: what is the same on every engine, and the engines.

An engine only starts steps and says whether they live; what a step did is read from Dagster's event
log. So retries, skipped steps, pools and the end of a run follow Dagster's rules on every engine.
"""
