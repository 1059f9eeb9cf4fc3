"""HTTP in, HTTP out: the routes of the contract, their token and their models."""
