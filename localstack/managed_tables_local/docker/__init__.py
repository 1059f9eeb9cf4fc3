"""What needs Docker: the functions in Lambda's containers, and the stack by compose."""
