"""What outlives a run: its folder (`runs`), and the model file in it (`model`)."""
