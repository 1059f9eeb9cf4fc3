"""Report to people about their files: findings as data, and their Portuguese sentences."""
