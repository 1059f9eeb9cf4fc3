"""The routes, one module a section of the contract; each module's `router` is included by the app."""
