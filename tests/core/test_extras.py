"""What is optional is asked for when it is used."""

from __future__ import annotations

import math

import pytest

from agentlab.core.errors import NotConfigured
from agentlab.core.extras import need


def test_need() -> None:
    """What is there is given; what is not there names the extra and how to install it."""
    assert need("math", "lab") is math
    with pytest.raises(NotConfigured) as caught:
        need("agentlab_no_such_module", "redis")
    assert str(caught.value) == (
        "Runtime not configured: missing 'redis' (pip install 'agentlab-notebook[redis]')"
    )
