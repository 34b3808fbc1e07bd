"""Deploys to Kubernetes: a Helm release that is healthy, or all is as it was before."""
