"""Recognise what labels and cells show besides their type: codes, days, quantities, mojibake, oddities."""
