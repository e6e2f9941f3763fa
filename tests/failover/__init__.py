"""Kill and roll two replicas behind HAProxy under load. `make failover` prints what the clients saw."""
