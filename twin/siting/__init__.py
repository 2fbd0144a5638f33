"""Where base stations go, on which spectrum and for what money, so that robots stay under control."""
