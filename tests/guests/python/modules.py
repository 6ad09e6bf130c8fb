"""Loads other files of its bundle."""

import words
from polyplug import plugin


@plugin("test.modules@1")
class Modules:
    def greet(self, name):
        return words.greet(name)

    def load(self, name):
        try:
            __import__(name)
        except Exception as error:
            return str(error)
        return None
