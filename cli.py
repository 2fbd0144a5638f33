"""`python cli.py` is the `twin` command, run from a checkout."""

from twin.cli import main

if __name__ == "__main__":
    main()
