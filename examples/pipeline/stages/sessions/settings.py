"""The bundle's settings, checked."""

from dataclasses import dataclass


@dataclass
class Settings:
    gap: float
    deviations: float
    top: int


def read(config):
    return Settings(
        gap=checked(config, "gap", "a number of minutes above 0", lambda value: value > 0),
        deviations=checked(config, "deviations", "a number above 0", lambda value: value > 0),
        top=checked(config, "top", "a whole number above 0", lambda value: isinstance(value, int) and value > 0),
    )


def checked(config, name, expected, is_fine):
    value = config[name]
    # In Python, truth is a number.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not is_fine(value):
        raise ValueError(f"settings: {name}: expected {expected}, got {value!r}")
    return value
