"""Turn the conditions of a request (a filter tree, filters of a query string, a search) into composed SQL.

`read_where`, `read_filters` and `read_search` make a `Condition` of untrusted values, `condition_sql` and
`condition_parameters` the SQL of it: equal shapes give equal SQL, so that a statement is prepared once.
"""
