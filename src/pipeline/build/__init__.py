"""From a service's sources to one image for each platform."""
