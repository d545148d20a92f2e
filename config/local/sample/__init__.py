"""The sample school: people, classes, a study, and weeks of simulated sessions behind them. Loaded idempotently."""
