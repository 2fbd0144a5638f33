"""What a run says: metrics from frames and files."""
