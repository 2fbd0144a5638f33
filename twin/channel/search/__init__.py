"""Where paths go: planes, images, edges, obstacles, and the search that finds them."""
