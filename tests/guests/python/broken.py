"""Fails as it starts."""

from polyplug import plugin


@plugin("test.stamp@1")
class Stamp:
    def version(self):
        return 1

    def echo(self, text):
        return text

    def card(self, text):
        return {"version": 1, "text": text, "repeated": [], "last": 1}

    def give_up(self, text):
        raise RuntimeError(text)


raise RuntimeError("the start is no good")  # here
