"""Inserts of rows: repeated safely, and what meets a row of the same key."""
