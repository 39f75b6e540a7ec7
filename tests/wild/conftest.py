"""The packages are material, not modules of the test suite: each test copies one and loads the copy."""

collect_ignore_glob = ["packages/*", "courses/*"]
