import warnings

warnings.warn("old", DeprecationWarning, stacklevel=2)
value = 1
