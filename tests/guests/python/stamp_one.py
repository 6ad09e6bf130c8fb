"""Version 1 of the bundle that is reloaded."""

from polyplug import plugin, types

Card = types("test.stamp@1").Card


@plugin("test.stamp@1")
class Stamp:
    def version(self):
        return 1

    def echo(self, text):
        return f"1 {text}"

    def card(self, text):
        return Card(version=1, text=f"1 {text}", repeated=[1] * len(text.encode()), last=1)

    def give_up(self, text):
        raise RuntimeError(f"1 {text}")
