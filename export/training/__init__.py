"""Train a network with PyTorch and write its checkpoint."""
