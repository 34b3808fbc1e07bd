"""Watches a release come up: what Kubernetes says of it, judged."""
