"""The catalog: what Managed Tables knows of connections, tables and jobs, in one DynamoDB table."""
