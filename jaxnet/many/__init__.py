"""Many networks in one program: the engine, and what is asked of it. Arrays only."""
