"""Calls objects, and gives some of its own."""

from contextlib import contextmanager

from polyplug import CallError, Declared, Err, Ok, host, peer, plugin


@contextmanager
def told():
    """If a call fails, this one's declared error is the failure as text."""
    try:
        yield
    except CallError as error:
        raise Declared(str(error)) from None


class Own:
    """What this plugin gives to others: says yes to one label, or so many times."""

    def __init__(self, label=None, times=0):
        self.label, self.times = label, times

    def step(self, done, label):
        if self.label is not None:
            return label == self.label
        self.times -= 1
        return self.times >= 0

    def breaks(self):
        raise RuntimeError("it broke")

    def note(self, text):
        raise Declared(text)


@plugin("test.objects@1", singleton=True)
class Objects:
    def __init__(self):
        self.kept, self.count = [], 0

    def work(self, steps, progress):
        for step in range(steps):
            if not progress.step(step, "working"):
                return step
        return steps

    def notes(self, text, first, second):
        notes = []
        for progress in (first, second):
            try:
                notes.append(str(progress.note(text)))
            except Declared as error:
                notes.append(f"no: {error.value}")
        return notes

    def provoke(self, progress):
        progress.breaks()

    def catch(self, progress):
        try:
            progress.breaks()
        except CallError as error:
            return str(error)

    def keep(self, progress):
        self.kept.append(progress)
        return len(self.kept)

    def tell_all(self, label):
        answers = []
        for progress in self.kept:
            try:
                answers.append(Ok(progress.step(0, label)))
            except CallError as error:
                answers.append(Err(str(error)))
        return answers

    def forget(self):
        self.kept.clear()

    def plant(self):
        with told():
            return peer("test.objects@1").keep(Own(label="planted"))

    def lend(self, steps):
        with told():
            return peer("test.objects@1").work(steps, Own(times=2))

    def pass_on(self, steps, progress):
        with told():
            return peer("test.objects@1").work(steps, progress)

    def hear(self, words):
        self.count += 1
        if words == "!":
            raise RuntimeError("too loud")
        if words == "":
            raise Declared("silence")
        return len(words.encode())

    def listen(self, words):
        # A callable will do for an object with one method.
        with told():
            return host("test.radio@1").play(words, self.hear)

    def subscribe(self):
        host("test.radio@1").tune(self)

    def heard(self):
        return self.count
