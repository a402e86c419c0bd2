"""Many agents: a bus, teams, swarms and debates, on one trace."""
