"""What every layer shares: errors, dtypes, shapes, names and device strings. Imports nothing of Regraft."""
