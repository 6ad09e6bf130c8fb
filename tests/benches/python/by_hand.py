from dataclasses import dataclass


@dataclass(slots=True)
class Tree:
    value: int
    children: list


def add(a, b):
    return a + b


def greet(name):
    return "Hello, " + name + "!"


def total(data):
    return sum(data)


def tree(value):
    return value


def double(values):
    return [2.0 * value for value in values]
