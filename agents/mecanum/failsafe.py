"""What a mobile robot does on its own: stop for what its lidar sees ahead, or when commands stay away."""

from twin.controller import ProtectiveStop as ProtectiveStop
