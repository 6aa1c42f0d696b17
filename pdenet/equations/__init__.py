"""Equations as data: their terms, the typed language that they are read from, every format they are printed in.

`terms`, `equation`, and `library`, the candidates; read from text by `expression` (`tokens`, `syntax`, `expansion`),
from print by `latex`; written by `printing` (`notation`, `source_code`) and as a script by `py_pde`.
"""
