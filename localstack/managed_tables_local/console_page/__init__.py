"""The console's page: built, served beside the stack, checked in a browser."""
