"""The routes, one module a heading of the contract; each module's `router` is included by the app."""
