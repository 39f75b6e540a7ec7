"""The command line: targets are found, checked in processes of their own, and told."""
