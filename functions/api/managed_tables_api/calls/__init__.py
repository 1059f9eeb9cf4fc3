"""What all routes share: their class, and the dependencies that lead from a request to a permitted call."""
