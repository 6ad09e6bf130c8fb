from . import sub
name = "pkg"
