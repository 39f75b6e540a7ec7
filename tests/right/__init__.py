"""Right layers and functions, as students and library authors write them: gradcheck calls none of them wrong."""
