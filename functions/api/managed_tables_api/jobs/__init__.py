"""How jobs are shown, and how a confirmed schema sets a job going again."""
