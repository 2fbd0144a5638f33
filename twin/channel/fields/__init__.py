"""What paths carry: antennas, materials, air, sea, and the coefficients of each path."""
