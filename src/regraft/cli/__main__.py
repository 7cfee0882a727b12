"""`python -m regraft.cli`."""

from regraft.cli import main

if __name__ == "__main__":
    main()
