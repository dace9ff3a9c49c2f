"""What the benchmark is made of: the peers, their processes, its tables and its picture."""
