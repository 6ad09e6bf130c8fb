from inner import names


def greet(name):
    return f"Hello, {names.polite(name)}!"
