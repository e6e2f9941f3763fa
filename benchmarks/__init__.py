"""How fast and how small the service is, beside the ordinary way to serve the network that it replaces."""
