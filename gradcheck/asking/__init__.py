"""What the code says: every claim is asked for products with the same cotangents."""
