"""Model input to predictions: the verified model contract, the onnxruntime session, batching."""
