"""Build the console's page, serve it beside the stack, and check it in a browser."""
