"""What we measure ourselves against: the same job done the usual way, in the same run on the same machine."""
