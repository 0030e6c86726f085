"""What runs by the clock: one function or class per job, and the clockwork in `scheduler`."""
