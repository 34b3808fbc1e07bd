"""What differs between environments: loaded, merged, checked, converted, kept secret."""
