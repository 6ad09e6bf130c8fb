import warnings

warnings.warn("old too", DeprecationWarning, stacklevel=2)
