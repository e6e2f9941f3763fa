"""The API's description (OpenAPI 3.1) and the pages that show it.

`document.py` assembles it from one module per group of routes: `predictions.py`, `status.py`, `documentation.py`.
"""
