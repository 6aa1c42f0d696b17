"""Entry point of `pdenet-durr`: joins the commands of the rooms; ships in the wheel as pdenet_durr_cli."""

from __future__ import annotations

import sys

from backbone.commands.shell import new_app, run
from backbone.commands.systems import register as register_backbone
from durr.commands import checkables as of_durr
from durr.commands import register as register_durr
from pdenet.commands import checkables as of_pdenet
from pdenet.commands import register as register_pdenet

rooms = (of_pdenet, of_durr)  # what they have to check
app = new_app()
register_pdenet(app)
register_durr(app)
register_backbone(app, rooms)


def main() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run(app))


if __name__ == "__main__":
    main()
