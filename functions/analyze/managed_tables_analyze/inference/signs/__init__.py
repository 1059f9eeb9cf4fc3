"""Recognise what labels and cells show beside their type: codes, days, quantities, mojibake, oddities."""
