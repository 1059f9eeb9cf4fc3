"""What the API and the exporting function share: what an export asks for, judged by a table's columns."""
