"""What agents remember, how it fades, and how it is made shorter."""
