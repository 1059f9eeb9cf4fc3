"""What every function knows of a job: its documents, where its rows go, and its confirmation."""
