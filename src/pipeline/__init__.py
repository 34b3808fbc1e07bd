"""From a repository of services to running, secured containers."""
