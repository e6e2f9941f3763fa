"""Evaluate a served model and write its model card. onnxruntime only; no PyTorch."""
