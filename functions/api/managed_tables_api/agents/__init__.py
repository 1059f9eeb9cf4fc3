"""Serve agents: the tools of the Model Context Protocol, each made of the API's own routes."""
