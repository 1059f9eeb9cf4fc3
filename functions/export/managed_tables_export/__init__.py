"""The exporting function: one consistent snapshot of a table to one file in S3, in little memory."""
