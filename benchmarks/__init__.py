"""Measures the service side by side with the contenders it is held against."""
