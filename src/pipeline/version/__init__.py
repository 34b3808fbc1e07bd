"""What git knows of the repository: how a build is called, and where it comes from."""
