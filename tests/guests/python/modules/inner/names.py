def polite(name):
    return f"dear {name}"
