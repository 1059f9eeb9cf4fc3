"""Make, change and delete the companies' tables, and check their definitions.

DynamoDB and PostgreSQL cannot commit together; the three steps of `operations` keep them consistent.
"""
