"""Links and joints: what a URDF says, and how it moves."""
