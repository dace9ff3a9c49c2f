"""What outlives a run: its folder (`runs`), the model file (`model`), the sweep file (`sweep`)."""
