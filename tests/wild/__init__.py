"""Packages as they are found in the wild: written anew, to behave as such packages do."""
