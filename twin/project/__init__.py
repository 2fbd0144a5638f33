"""Where things are: projects, robots, worlds, recordings and plug-ins; what can be made anew."""
