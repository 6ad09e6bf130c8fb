"""Begins each word with a capital letter."""

import re

from polyplug import plugin, types

Outcome = types("editor.command@1").Outcome


@plugin("editor.command@1", singleton=True)
class Title:
    def help(self):
        return "title: begins each word with a capital letter"

    def run(self, text, argument):
        return Outcome.Text(re.sub(r"(?<![\w'])\w", lambda letter: letter[0].upper(), text))
