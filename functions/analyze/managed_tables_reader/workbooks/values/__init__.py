"""Numbers, dates and their formats, as every kind of workbook writes them."""
