from . import also_deprecated
