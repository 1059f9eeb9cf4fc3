"""The companies' tables: what a definition may be, and how tables are made, changed and deleted.

DynamoDB and PostgreSQL cannot commit together; `operations` owns the three steps that keep them agreed.
"""
