"""Reads its settings as it starts."""

from polyplug import plugin


@plugin("test.reading@1")
class Reading:
    def __init__(self, ctx):
        if ctx.config["title"] == "":
            raise ValueError("a title is needed")
        self.config, self.name = ctx.config, ctx.bundle

    def title(self):
        return self.config["title"]

    def limits(self):
        limits = self.config["limits"]
        return limits["lines"], limits["share"]

    def words(self):
        return self.config["words"]

    def verbose(self):
        return self.config.get("verbose", False)

    def bundle(self):
        return self.name
