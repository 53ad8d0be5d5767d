"""``python -m fundclock``: the command line."""

from fundclock.app.cli.main import main

if __name__ == "__main__":
    main()
