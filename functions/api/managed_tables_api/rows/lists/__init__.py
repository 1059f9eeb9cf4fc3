"""Pages of rows and of groups of rows: filtered, sorted, continued by a cursor."""
