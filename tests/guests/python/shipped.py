"""Is for a contract that only its bundle describes."""

from polyplug import plugin


@plugin("test.shipped@1")
class Shipped:
    def version(self):
        return 1

    def echo(self, text):
        return f"1 {text}"

    def card(self, text):
        return {"version": 1, "text": f"1 {text}", "repeated": [], "last": 1}

    def give_up(self, text):
        raise RuntimeError(text)
