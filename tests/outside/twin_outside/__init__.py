"""What a package from outside adds to twin, by its entry points alone."""
