from polyplug import plugin


@plugin("bench.trees@1")
class Trees:
    def tree(self, value):
        return value

    def double(self, values):
        return [2.0 * value for value in values]
