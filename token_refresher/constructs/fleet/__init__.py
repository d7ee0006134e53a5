"""The fleet: many connections in one table, refreshed by workers."""
