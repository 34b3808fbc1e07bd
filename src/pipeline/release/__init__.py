"""Version and tags from git, and publishing to a registry."""
