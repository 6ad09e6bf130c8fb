"""Calls its host as it starts, and as its instances do."""

from polyplug import host, plugin

logger = host("test.logger@1")
logger.log("the file runs")


@plugin("test.counter@1")
class Counter:
    def __init__(self):
        self.before = logger.log("an instance begins")

    def add(self, by):
        return self.before + by
