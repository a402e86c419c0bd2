"""Graphs: what is related to what, to query, to measure and to look at."""
