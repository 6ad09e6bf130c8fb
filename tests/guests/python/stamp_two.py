"""Version 2 of the bundle that is reloaded."""

from polyplug import plugin, types

Card = types("test.stamp@1").Card


@plugin("test.stamp@1")
class Stamp:
    def version(self):
        return 2

    def echo(self, text):
        return f"2 {text}"

    def card(self, text):
        return Card(version=2, text=f"2 {text}", repeated=[2] * len(text.encode()), last=2)

    def give_up(self, text):
        raise RuntimeError(f"2 {text}")
