"""`python -m sgt_data`: the command line `sgt-data`."""

from sgt_data.cli.app import main

if __name__ == "__main__":
    main()
