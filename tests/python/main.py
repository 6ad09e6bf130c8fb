"""Runs a case by its name. `cases.py` works in a program and in a bundle alike."""

import cases
from polyplug import plugin


@plugin("test.script@1")
class Script:
    def run(self, name):
        if not name:
            return "\n".join(cases.names())
        return cases.run(name)
