"""Build and run the service in containers."""
