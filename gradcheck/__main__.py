"""`python -m gradcheck`."""

from gradcheck.cli import console

if __name__ == "__main__":
    console()
