"""Ways into the twin from outside: controllers in other processes, learning environments."""
