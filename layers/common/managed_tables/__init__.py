"""The vocabulary that every function of Managed Tables shares; it imports none of them."""
