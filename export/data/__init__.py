"""Images and labels: MNIST, wild images, synthetic scenes and outliers. numpy, Pillow and matplotlib; no PyTorch."""
