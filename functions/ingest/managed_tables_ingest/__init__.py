"""S3 events and the schedule in; arrivals, executions and overdue jobs out."""
