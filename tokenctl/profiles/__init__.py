"""Profiles for operators: finding one, describing it, and showing what it sends."""
