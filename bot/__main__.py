"""`python -m bot` is `usual`."""

from bot.cli import main

if __name__ == "__main__":
    main()
