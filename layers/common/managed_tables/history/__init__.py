"""Who changed which row, when, from what to what: written by the company's database, for `HISTORY_DAYS`."""
