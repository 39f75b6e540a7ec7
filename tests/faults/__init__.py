"""Planted mistakes, their corrected twins, and correct layers of unusual build."""
