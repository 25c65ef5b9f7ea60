"""What runs other people's clients against the simulator."""
