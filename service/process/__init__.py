"""Processes: the uvicorn server, forked workers, cgroup limits and memory that is returned to the system."""
