"""The site: static geometry, materials, geo-reference and weather."""
