"""Data to try things with: two businesses to play with, and plenty to measure with."""

from storage.seeds.demo import demo
from storage.seeds.load import load

__all__ = ["demo", "load"]
