"""How files come in: declared or sent in a form, checked before anything is stored, then a job."""
