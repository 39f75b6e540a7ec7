"""Files that the command is given are no tests."""

collect_ignore_glob = ["cases/*", "frameworks/*"]
