"""What names look like."""

from typing import Annotated

from pydantic import StringConstraints

Text = Annotated[str, StringConstraints(pattern=r"^\S.{0,2047}$")]
"""A name or id: not empty, and on one line."""
