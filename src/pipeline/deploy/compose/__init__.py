"""Deploys by Docker Compose, on one machine."""
