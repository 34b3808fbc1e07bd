"""Deploy: images → services that run and are healthy."""
