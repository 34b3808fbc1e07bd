"""What there is to build: service.yml and images.yml as typed models."""
