"""The HTTP edge: limits, pipelining, upgrade offers and protocol errors, over real sockets."""
