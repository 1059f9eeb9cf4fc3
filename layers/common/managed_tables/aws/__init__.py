"""AWS as the functions use it: clients, the bucket, executions, events, logs and metrics."""
