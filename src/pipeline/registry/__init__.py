"""What is already out there: registries, and how to reach them."""
